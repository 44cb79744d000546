//! How long the engine takes for one period of many meters, and for a correction of it.
//!
//! `cargo run --release -p gridrig-settlement --example settle_many [METERS] [REPETITIONS]`
//!
//! Half of the meters export and sold, half import and bought, two trades each; meters and trades
//! come in no order. What they counted is stated, not read: verifying readings is measured by
//! `gridrig bench metering`.

use std::time::Instant;

use gridrig_market::Trade;
use gridrig_quantity::{DeliveryPeriod, Energy, Price, QuantityError, Side};
use gridrig_settlement::{
    Correction, Counted, LossesRule, MeterPeriod, PeriodInputs, PostedLines, SettlementError,
    SettlementPrices, SettlementRules, settle_period,
};

const TO_MS: i64 = 900_000;

/// Numbers below `count` in no order: steps of a prime that does not divide it.
fn scattered(count: u64) -> impl Iterator<Item = u64> {
    (0..count).map(move |place| place * 1_000_003 % count)
}

fn price(micro_per_kwh: i64) -> Result<Price, QuantityError> {
    Price::from_micro_per_kwh(micro_per_kwh)
}

fn meter(number: u64, milliwh: i64) -> Result<MeterPeriod, SettlementError> {
    let energy = Energy::from_milliwh(milliwh)?;
    let sells = number.is_multiple_of(2);
    let counted = Counted {
        import: if sells { Energy::ZERO } else { energy },
        export: if sells { energy } else { Energy::ZERO },
    };
    let name = format!("home-{number:07}");
    MeterPeriod::by_rule(
        name.clone(),
        format!("meter-{name}"),
        (0, TO_MS),
        counted,
        None,
    )
}

fn trades(number: u64) -> Result<[Trade; 2], SettlementError> {
    let side = if number.is_multiple_of(2) {
        Side::Offer
    } else {
        Side::Bid
    };
    let energy = Energy::from_milliwh(100_000)?;
    let price = price(150_000)?;
    Ok([1, 2].map(|n| Trade {
        trade_id: 2 * number + n,
        order_id: number,
        participant: format!("home-{number:07}"),
        side,
        energy,
        price,
    }))
}

fn inputs(meters: u64, revision: u32) -> Result<PeriodInputs, SettlementError> {
    // From a little too little to a little too much, and a different one in the correction.
    let counted = |n: u64| {
        let changed = u64::from(revision > 0 && n.is_multiple_of(1_000));
        i64::try_from(180_000 + (n + changed) % 40_009).unwrap_or(0)
    };
    let metered = scattered(meters).map(|n| meter(n, counted(n)));
    let trades: Result<Vec<_>, _> = scattered(meters).map(trades).collect();
    Ok(PeriodInputs {
        revision,
        meters: metered.collect::<Result<_, _>>()?,
        trades: trades?.into_iter().flatten().collect(),
        ..PeriodInputs::new(DeliveryPeriod::from_number(0), 0, TO_MS)
    })
}

fn main() -> Result<(), SettlementError> {
    let mut arguments = std::env::args()
        .skip(1)
        .filter_map(|text| text.parse().ok());
    let meters = arguments.next().unwrap_or(1_000_000) / 2 * 2;
    let repetitions = arguments.next().unwrap_or(3);
    let mut rules = SettlementRules::of_tariff(SettlementPrices {
        long: price(50_000)?,
        short: price(400_000)?,
    })?;
    rules.grid_fee = price(70_000)?;
    rules.operator_fee = price(5_000)?;
    rules.losses = LossesRule::Importers;
    for _ in 0..repetitions {
        let (first, second) = (inputs(meters, 0)?, inputs(meters, 1)?);
        let traded = first.trades.len();
        let begun = Instant::now();
        let settled = settle_period(first, &rules)?;
        let settle_s = begun.elapsed().as_secs_f64();
        let now = settle_period(second, &rules)?;
        let begun = Instant::now();
        let booked_in = DeliveryPeriod::from_number(1);
        let correction = Correction::between(&PostedLines::of(&settled), &now, booked_in)?;
        let correct_s = begun.elapsed().as_secs_f64();
        println!(
            "{meters} meters, {traded} trades: {} entries settled in {settle_s:.3} s, {} entries of \
             a correction in {correct_s:.3} s",
            settled.entries.len(),
            correction.entries.len(),
        );
    }
    Ok(())
}
