//! Who has which meters and which trades, in canonical order.

use std::sync::Arc;

use gridrig_market::Trade;
use gridrig_quantity::Side;

use crate::lines::Holding;
use crate::name_order::places_in_order;
use crate::{AccountId, MeterPeriod};

/// Sorts meters by participant and name.
pub(crate) fn by_participant(meters: Vec<MeterPeriod>) -> Vec<MeterPeriod> {
    let key = |meter: &MeterPeriod| (Arc::clone(meter.participant()), Arc::clone(meter.meter()));
    if meters.is_sorted_by(|one, other| {
        (one.participant(), one.meter()) <= (other.participant(), other.meter())
    }) {
        return meters;
    }
    let places = places_in_order(meters.len(), |place| meters[place].participant());
    let mut slots: Vec<Option<MeterPeriod>> = meters.into_iter().map(Some).collect();
    let mut sorted: Vec<MeterPeriod> = places
        .into_iter()
        .filter_map(|place| slots[place as usize].take())
        .collect();
    for own in sorted.chunk_by_mut(|one, other| one.participant() == other.participant()) {
        if own.len() > 1 {
            own.sort_by_cached_key(key);
        }
    }
    sorted
}

/// One participant: its account, and its meters as a range of places.
pub(crate) struct Owner {
    pub(crate) account: AccountId,
    first: u32,
    count: u32,
}

impl Owner {
    fn meters<'a>(&self, meters: &'a [MeterPeriod]) -> &'a [MeterPeriod] {
        &meters[self.first as usize..][..self.count as usize]
    }

    pub(crate) fn name<'a>(&self, meters: &'a [MeterPeriod]) -> &'a Arc<str> {
        meters[self.first as usize].participant()
    }

    pub(crate) fn holding<'a>(&self, meters: &'a [MeterPeriod]) -> Holding<'a> {
        Holding {
            account: self.account,
            meters: self.meters(meters),
            first: self.first,
        }
    }
}

/// Lists the participants of sorted meters and gives each an account.
pub(crate) fn owners_of(meters: &[MeterPeriod], accounts: &mut Vec<Arc<str>>) -> Vec<Owner> {
    let mut owners = Vec::new();
    let mut first = 0;
    for own in meters.chunk_by(|one, other| one.participant() == other.participant()) {
        let count = own.len() as u32;
        let account = AccountId(accounts.len() as u32);
        accounts.push(Arc::clone(own[0].participant()));
        owners.push(Owner {
            account,
            first,
            count,
        });
        first += count;
    }
    owners
}

/// Trades by participant and side, each by number.
pub(crate) struct Traded {
    /// Places of trades.
    places: Vec<u32>,
    /// Where each participant's offers, then its bids, begin in `places`.
    begins: Vec<u32>,
}

impl Traded {
    /// Sorts by counting: trades come by number, and stay so within a participant and side.
    pub(crate) fn new(trades: &[Trade], traders: &[u32], owners: usize) -> Self {
        let bucket =
            |trade: &Trade, trader: u32| 2 * trader as usize + usize::from(trade.side == Side::Bid);
        let mut begins = vec![0u32; 2 * owners + 1];
        for (trade, &trader) in trades.iter().zip(traders) {
            begins[bucket(trade, trader) + 1] += 1;
        }
        for place in 1..begins.len() {
            begins[place] += begins[place - 1];
        }
        let mut next = begins.clone();
        let mut places = vec![0; trades.len()];
        for (place, (trade, &trader)) in (0..).zip(trades.iter().zip(traders)) {
            let slot = &mut next[bucket(trade, trader)];
            places[*slot as usize] = place;
            *slot += 1;
        }
        Self { places, begins }
    }

    pub(crate) fn of(&self, owner: usize, side: Side) -> impl Iterator<Item = u32> {
        let bucket = 2 * owner + usize::from(side == Side::Bid);
        let range = self.begins[bucket] as usize..self.begins[bucket + 1] as usize;
        self.places[range].iter().copied()
    }
}
