//! Verified readings for tests, made the only way there is: signed, enrolled, verified.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::sync::OnceLock;

use gridrig_market::Trade;
use gridrig_metering::{KeyRecord, VerifiedReading, Verifier};
use gridrig_quantity::{DeliveryPeriod, Energy, Price, Side};
use gridrig_settlement::{
    Entry, MeterPeriod, PeriodInputs, Settled, SettlementError, SettlementPrices, SettlementRules,
    settle_period,
};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{DerSignature, SigningKey};
use p256::pkcs8::EncodePublicKey;

/// Meters of the bench; the last one is the feeder head.
pub const METERS: [&str; 5] = ["m-alice", "m-bob", "m-bob-2", "m-carol", "m-head"];

/// Whose they are.
pub const PARTICIPANTS: [&str; 5] = ["alice", "bob", "bob", "carol", "grid"];

/// Readings per meter, a quarter of an hour apart.
pub const READINGS: usize = 8;

/// A bench of meters that sign.
pub struct Bench {
    keys: Vec<SigningKey>,
    verifier: Verifier,
}

impl Bench {
    pub fn new() -> Self {
        let mut verifier = Verifier::new();
        let keys: Vec<SigningKey> = (0u8..5)
            .map(|n| SigningKey::from_slice(&[n + 1; 32]).unwrap())
            .collect();
        for (meter, key) in METERS.iter().zip(&keys) {
            let public = p256::PublicKey::from(key.verifying_key());
            let record = KeyRecord {
                meter: (*meter).to_owned(),
                serial: format!("serial of {meter}"),
                algorithm: "ecdsa-p256".to_owned(),
                public_key: public.to_public_key_der().unwrap().as_bytes().to_vec(),
                valid_from_s: 0,
                ..KeyRecord::default()
            };
            verifier.enrol(record).unwrap();
        }
        Self { keys, verifier }
    }

    /// Signs and verifies a reading; `time` is what stands between the day and the status.
    pub fn read(
        &mut self,
        meter: usize,
        pagination: usize,
        time: &str,
        import: i64,
        export: i64,
    ) -> VerifiedReading {
        let name = METERS[meter];
        let watt_hours = |milliwh: i64| format!("{}.{:03}", milliwh / 1000, milliwh % 1000);
        let payload = format!(
            "{{\"MS\":\"serial of {name}\",\"PG\":\"T{pagination}\",\"RD\":[{{\"TM\":\"{time}\",\
             \"RV\":{},\"RI\":\"1-b:1.8.0\",\"RU\":\"Wh\",\"ST\":\"G\"}},\
             {{\"RV\":{},\"RI\":\"1-b:2.8.0\"}}]}}",
            watt_hours(import),
            watt_hours(export)
        );
        let signature: DerSignature = self.keys[meter].sign(payload.as_bytes());
        let hex: String = signature
            .as_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let record = format!("OCMF|{payload}|{{\"SD\":\"{hex}\"}}");
        self.verifier.verify(record.as_bytes(), i64::MAX).unwrap()
    }
}

/// Time text of the n-th quarter of an hour.
pub fn quarter(n: usize) -> String {
    format!(
        "2016-06-20T{:02}:{:02}:00,000+0000 S",
        12 + n / 4,
        n % 4 * 15
    )
}

/// `READINGS` readings of every meter whose registers move by drawn steps, zero steps among them.
pub fn readings() -> &'static Vec<Vec<VerifiedReading>> {
    static READ: OnceLock<Vec<Vec<VerifiedReading>>> = OnceLock::new();
    READ.get_or_init(|| {
        let mut bench = Bench::new();
        let mut state: u64 = 1;
        let mut step = move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let drawn = i64::try_from(state >> 40).unwrap();
            if drawn % 3 == 0 { 0 } else { drawn % 3_000_000 }
        };
        (0..METERS.len())
            .map(|meter| {
                let (mut import, mut export) = (1_000, 0);
                (0..READINGS)
                    .map(|n| {
                        import += step();
                        export += step();
                        bench.read(meter, n + 1, &quarter(n), import, export)
                    })
                    .collect()
            })
            .collect()
    })
}

/// The period of every meter between two readings, the feeder head last.
pub fn periods(from: usize, to: usize) -> Vec<MeterPeriod> {
    let pair = |(meter, read): (usize, &Vec<VerifiedReading>)| {
        let participant = PARTICIPANTS[meter].to_owned();
        MeterPeriod::new(participant, read[from].clone(), read[to].clone()).unwrap()
    };
    readings().iter().enumerate().map(pair).collect()
}

pub fn trade(trade_id: u64, participant: &str, side: Side, energy: i64, price: i64) -> Trade {
    Trade {
        trade_id,
        order_id: trade_id,
        participant: participant.to_owned(),
        side,
        energy: Energy::from_milliwh(energy).unwrap(),
        price: Price::from_micro_per_kwh(price).unwrap(),
    }
}

pub fn price(micro: i64) -> Price {
    Price::from_micro_per_kwh(micro).unwrap()
}

pub fn rules(long: i64, short: i64) -> SettlementRules {
    SettlementRules::of_tariff(SettlementPrices {
        long: price(long),
        short: price(short),
    })
    .unwrap()
}

/// The inputs of a period of these meters, the head last, at the times of the head.
pub fn inputs(number: u32, meters: &[MeterPeriod], trades: &[Trade]) -> PeriodInputs {
    let (head, others) = meters.split_last().unwrap();
    let period = DeliveryPeriod::from_number(number);
    PeriodInputs {
        meters: others.to_vec(),
        head: Some(head.clone()),
        trades: trades.to_vec(),
        ..PeriodInputs::new(period, head.from_ms(), head.to_ms())
    }
}

pub fn try_settle(
    meters: &[MeterPeriod],
    trades: &[Trade],
    rules: &SettlementRules,
) -> Result<Settled, SettlementError> {
    settle_period(inputs(7, meters, trades), rules)
}

/// Kind, who pays, who is paid, amount, energy, price, trade and meter of an entry.
pub type Line<'a> = (
    &'a str,
    &'a str,
    &'a str,
    i64,
    i64,
    i64,
    Option<u64>,
    &'a str,
);

pub fn line<'a>(settled: &'a Settled, entry: &Entry) -> Line<'a> {
    (
        entry.kind.word(),
        settled.account(entry.debit),
        settled.account(entry.credit),
        entry.amount.micro(),
        entry.energy.milliwh(),
        entry.price.micro_per_kwh(),
        entry.trade_id,
        settled.meter_of(entry).map_or("", |meter| meter.meter()),
    )
}

pub fn lines(settled: &Settled) -> Vec<Line<'_>> {
    settled
        .entries
        .iter()
        .map(|entry| line(settled, entry))
        .collect()
}
