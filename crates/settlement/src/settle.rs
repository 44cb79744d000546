//! The settlement of one delivery period.

use std::collections::HashMap;
use std::sync::Arc;

use gridrig_market::Trade;
use gridrig_quantity::{Amount, Energy, QuantityError, Side};

use crate::accounts::{CLEARING_ID, CONGESTION_RENT_ID, LOSSES_ID, OPERATOR_ID, house_names};
use crate::lines::Lines;
use crate::owners::{Owner, Traded, by_participant, owners_of};
use crate::{
    AccountId, EntryKind, LINK_PREFIX, LinkFlow, LossesRule, MeterPeriod, PeriodInputs, Settled,
    SettlementError, SettlementPrices, SettlementRules,
};
use crate::{checks, losses};

/// Settles one period: trades against what verified readings say was delivered.
///
/// The outcome is a function of the inputs as sets: their order, threads and clocks have no part in
/// it.
///
/// # Errors
/// [`SettlementError`], the first rule broken in the order of the enum; nothing is booked then.
pub fn settle_period(
    mut inputs: PeriodInputs,
    rules: &SettlementRules,
) -> Result<Settled, SettlementError> {
    rules.check()?;
    checks::check_counts(&inputs)?;
    inputs.trades.sort_by_key(|trade| trade.trade_id);
    inputs.links.sort_by(|one, other| one.link.cmp(&other.link));
    inputs
        .deposits
        .sort_by(|one, other| one.participant.cmp(&other.participant));
    let head_meter = inputs.head.as_ref().map(|head| Arc::clone(head.meter()));
    checks::check_head(&inputs)?;
    let meters = by_participant(inputs.meters.into_iter().chain(inputs.head).collect());
    checks::check_meters(&meters, inputs.from_ms, inputs.to_ms)?;
    let head = head_meter.and_then(|name| meters.iter().position(|meter| *meter.meter() == name));

    let mut accounts = house_names();
    let owners = owners_of(&meters, &mut accounts);
    let place_of: HashMap<&str, u32> = (0..)
        .zip(&owners)
        .map(|(place, owner)| (&**owner.name(&meters), place))
        .collect();
    let traders = checks::check_trades(&inputs.trades, &place_of, rules)?;
    checks::check_links(&inputs.links)?;
    let depositors = checks::check_deposits(&inputs.deposits, &place_of)?;

    let imported = Energy::sum(meters.iter().map(MeterPeriod::import))?;
    let exported = Energy::sum(meters.iter().map(MeterPeriod::export))?;
    let lost = exported.minus(imported)?;
    let ground = Ground {
        meters: &meters,
        head: head.map(|place| place as u32),
        trades: &inputs.trades,
        traded: Traded::new(&inputs.trades, &traders, owners.len()),
        rules,
        prices: rules.prices_of(inputs.island, &inputs.trades),
        lost,
    };
    let mut lines = Lines::default();
    lines
        .entries
        .reserve(2 * meters.len() + 2 * inputs.trades.len());
    ground.book_participants(&mut lines, &owners)?;
    ground.book_house(&mut lines, &inputs.links, &mut accounts)?;
    for (deposit, &owner) in inputs.deposits.iter().zip(&depositors) {
        let account = owners[owner as usize].account;
        lines.book_amount(EntryKind::Deposit, account, deposit.amount);
    }
    checks::check_balance(&lines.entries, &accounts)?;
    Ok(Settled {
        period: inputs.period,
        from_ms: inputs.from_ms,
        to_ms: inputs.to_ms,
        revision: inputs.revision,
        island: inputs.island,
        rules: *rules,
        prices: ground.prices,
        head: ground.head,
        accounts,
        trades: inputs.trades,
        links: inputs.links,
        deposits: inputs.deposits,
        entries: lines.entries,
        imported,
        exported,
        losses: lost,
        meters,
    })
}

/// What all lines of a period are booked from.
struct Ground<'a> {
    meters: &'a [MeterPeriod],
    head: Option<u32>,
    trades: &'a [Trade],
    traded: Traded,
    rules: &'a SettlementRules,
    prices: SettlementPrices,
    lost: Energy,
}

impl Ground<'_> {
    /// Books what every participant settles by itself, and the losses.
    fn book_participants(
        &self,
        lines: &mut Lines,
        owners: &[Owner],
    ) -> Result<(), SettlementError> {
        let shares = match self.rules.losses {
            LossesRule::House => None,
            LossesRule::Importers => losses::shares(self.lost, self.meters, self.head)?,
        };
        let mut met = Vec::new();
        for (place, owner) in owners.iter().enumerate() {
            let own = owner.holding(self.meters);
            met.clear();
            met.resize(own.meters.len(), Energy::ZERO);
            for side in [Side::Offer, Side::Bid] {
                let places = self.traded.of(place, side);
                let trades = places.map(|trade| &self.trades[trade as usize]);
                lines.book_side(side, own, trades, self.prices, &mut met)?;
            }
            for (meter, met) in (own.first..).zip(&met) {
                self.book_fees(lines, own.account, meter, *met);
                if let Some(shares) = &shares {
                    let (share, price) = (shares[meter as usize], self.prices.short);
                    lines.book(
                        EntryKind::Losses,
                        own.account,
                        share,
                        price,
                        None,
                        Some(meter),
                    );
                }
            }
        }
        if shares.is_none() {
            let price = self.prices.short;
            lines.book(
                EntryKind::Losses,
                LOSSES_ID,
                self.lost,
                price,
                None,
                self.head,
            );
        }
        Ok(())
    }

    /// Books the fees of one meter, which met `met` of its participant's trades.
    fn book_fees(&self, lines: &mut Lines, account: AccountId, meter: u32, met: Energy) {
        let (at, import) = (Some(meter), self.meters[meter as usize].import());
        if at != self.head {
            lines.book_priced(EntryKind::GridFee, account, import, self.rules.grid_fee, at);
        }
        lines.book_priced(
            EntryKind::OperatorFee,
            account,
            met,
            self.rules.operator_fee,
            at,
        );
    }

    /// Books what links charge, and the differences that then are left.
    fn book_house(
        &self,
        lines: &mut Lines,
        links: &[LinkFlow],
        accounts: &mut Vec<Arc<str>>,
    ) -> Result<(), SettlementError> {
        let mut rent = rent_micro(self.trades);
        for flow in links {
            let account = AccountId(accounts.len() as u32);
            accounts.push(format!("{LINK_PREFIX}{}", flow.link).into());
            lines.book(
                EntryKind::LinkFee,
                account,
                flow.energy,
                flow.fee,
                None,
                None,
            );
            rent -= i128::from(Amount::of(flow.energy, flow.fee).micro());
        }
        lines.book_amount(EntryKind::Rent, CONGESTION_RENT_ID, amount(rent)?);
        let left = amount(checks::sum_of(&lines.entries, CLEARING_ID))?;
        lines.book_amount(EntryKind::Residual, OPERATOR_ID, left);
        Ok(())
    }
}

/// What buyers agreed to pay less what sellers agreed to be paid.
fn rent_micro(trades: &[Trade]) -> i128 {
    let signed = |trade: &Trade| {
        let agreed = i128::from(Amount::of(trade.energy, trade.price).micro());
        match trade.side {
            Side::Bid => agreed,
            Side::Offer => -agreed,
        }
    };
    trades.iter().map(signed).sum()
}

fn amount(found: i128) -> Result<Amount, SettlementError> {
    let micro = i64::try_from(found).map_err(|_| QuantityError::AmountBound { found })?;
    Ok(Amount::from_micro(micro))
}
