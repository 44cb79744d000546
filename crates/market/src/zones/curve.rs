//! What one zone gives to the others at each price: its orders as one rising curve.
//!
//! All orders of a zone, bids and offers alike, are sorted by price. Begin with every bid filled
//! and no offer: the zone imports all it asks for. Each lot more that it gives is the cheapest of
//! what is left: an offer's, or one taken back from a bid. So a place on the sorted list says which
//! orders are filled, and the price there is the marginal one.

use crate::auction::PRICE_BIAS;

/// Bits of an arrival position, as in a merit order.
const POSITION_BITS: u32 = 20;
const POSITION_MAX: u32 = (1 << POSITION_BITS) - 1;
const SIDE_BIT: u32 = POSITION_BITS;
const PRICE_SHIFT: u32 = POSITION_BITS + 1;
const PRICE_BITS: u32 = 31;
const ZONE_SHIFT: u32 = PRICE_SHIFT + PRICE_BITS;

/// An order on its zone's curve: sorting gives zone after zone, each by rising marginal cost.
///
/// At one price offers come before bids, so that a trade without gain is made; of offers the
/// earlier comes first, of bids the later, because a bid's lot is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry(u64);

impl Entry {
    pub(super) fn new(zone: u32, is_bid: bool, price: i64, position: u32) -> Self {
        let place = if is_bid {
            POSITION_MAX - position
        } else {
            position
        };
        Self(
            u64::from(zone) << ZONE_SHIFT
                | ((price + PRICE_BIAS) as u64) << PRICE_SHIFT
                | u64::from(is_bid) << SIDE_BIT
                | u64::from(place),
        )
    }

    pub(super) const fn zone(self) -> usize {
        (self.0 >> ZONE_SHIFT) as usize
    }

    pub(super) const fn is_bid(self) -> bool {
        self.0 >> SIDE_BIT & 1 == 1
    }

    pub(super) const fn price(self) -> i64 {
        (self.0 >> PRICE_SHIFT & ((1 << PRICE_BITS) - 1)) as i64 - PRICE_BIAS
    }

    const fn place(self) -> u32 {
        self.0 as u32 & POSITION_MAX
    }

    pub(super) const fn position(self) -> u32 {
        if self.is_bid() {
            POSITION_MAX - self.place()
        } else {
            self.place()
        }
    }

    /// Returns whether both are of one zone, price and side.
    pub(super) const fn ties_with(self, other: Self) -> bool {
        self.0 >> SIDE_BIT == other.0 >> SIDE_BIT
    }
}

/// How prices, energy, flow and arrival are weighed into one cost, exactly in this order.
///
/// The best flow is the one from which no simple cycle of changes gains. Such a cycle changes at
/// most two orders (by a lot: energy by at most 1, arrivals by less than 2^20) and passes each node
/// once (flow by at most the number of nodes). The weights below are larger than all that comes
/// after them, so one sum of costs has the optima of the whole sequence of objectives.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weights {
    /// One unit of flow on a link. Arrivals weigh 1.
    pub(super) flow: i128,
    energy: i128,
    /// One micro/kWh.
    price: i128,
}

impl Weights {
    pub(super) fn of(nodes: usize) -> Self {
        let flow = 1 << (POSITION_BITS + 1);
        let energy = flow * (2 * nodes as i128 + 2);
        Self {
            flow,
            energy,
            price: 4 * energy,
        }
    }

    pub(super) fn cost(self, entry: Entry) -> i128 {
        let bonus = if entry.is_bid() { self.energy } else { 0 };
        i128::from(entry.price()) * self.price + bonus + i128::from(entry.place())
    }

    /// Returns the cost of a link's use, which makes shorter ways better at equal fees.
    pub(super) fn fee(self, micro_per_kwh: i64) -> i128 {
        i128::from(micro_per_kwh) * self.price + self.flow
    }

    /// Returns a cost larger in magnitude than any order's or link's.
    pub(super) fn bound(self) -> i128 {
        i128::from(2 * PRICE_BIAS) * self.price
    }
}

/// The sorted orders of one zone.
pub(super) struct Curve<'a> {
    pub(super) entries: &'a [Entry],
    /// Energy of the entries before each place, one more than there are entries. [mWh]
    before_milliwh: &'a [i128],
    /// Energy of all bids: what the zone imports at the beginning of the list. [mWh]
    bids_milliwh: i128,
}

impl<'a> Curve<'a> {
    pub(super) fn new(entries: &'a [Entry], before_milliwh: &'a [i128], bids: i128) -> Self {
        Self {
            entries,
            before_milliwh,
            bids_milliwh: bids,
        }
    }

    /// Returns what the zone gives if all whose cost is below `cost` is taken. [mWh]
    pub(super) fn supply_below(&self, cost: i128, weights: Weights) -> i128 {
        let taken = self
            .entries
            .partition_point(|&entry| weights.cost(entry) < cost);
        self.before_milliwh[taken] - self.before_milliwh[0] - self.bids_milliwh
    }

    /// Returns the place of a supply on the list: whole entries before it, and of the next. [mWh]
    pub(super) fn place(&self, supply: i128) -> (usize, i64) {
        let taken = supply + self.bids_milliwh + self.before_milliwh[0];
        let whole = self.before_milliwh[1..].partition_point(|&end| end <= taken);
        (whole, (taken - self.before_milliwh[whole]) as i64)
    }
}
