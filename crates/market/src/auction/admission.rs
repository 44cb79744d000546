//! Which orders the market takes, in one pass over the arrivals.

use gridrig_quantity::{Energy, Price};

use super::columns::{OrderColumns, Refusal};
use super::merit::Ranked;
use crate::{MarketError, MarketRules, RejectionReason};

/// The orders that broke no rule, as unsorted merit orders, and those that did.
pub(crate) struct Admitted {
    arrival: Arrival,
    pub(crate) bids: Vec<Ranked>,
    pub(crate) offers: Vec<Ranked>,
    /// By arrival.
    pub(crate) refusals: Vec<Refusal>,
}

impl Admitted {
    /// Returns the row of an order taken.
    pub(crate) fn row(&self, order: Ranked) -> usize {
        self.row_at(order.position())
    }

    /// Returns the row of the order that arrived at this place.
    pub(crate) fn row_at(&self, position: u32) -> usize {
        self.arrival.row(position as usize) as usize
    }
}

/// The rows by order number.
enum Arrival {
    /// They came sorted, as they do from whoever numbers them.
    AsGiven,
    Sorted(Vec<u32>),
}

impl Arrival {
    fn of(order_id: &[u64]) -> Self {
        if order_id.is_sorted() {
            return Self::AsGiven;
        }
        let mut numbered: Vec<(u64, u32)> = order_id.iter().copied().zip(0..).collect();
        numbered.sort_unstable();
        Self::Sorted(numbered.into_iter().map(|(_, row)| row).collect())
    }

    fn row(&self, position: usize) -> u32 {
        match self {
            Self::AsGiven => position as u32,
            Self::Sorted(rows) => rows[position],
        }
    }
}

/// The own orders of one participant that are easiest to meet: price and row.
#[derive(Clone, Copy)]
struct Resting {
    bid: (i64, u32),
    offer: (i64, u32),
}

/// Of a participant that has no order yet: nothing crosses these.
const NOTHING: Resting = Resting {
    bid: (i64::MIN, 0),
    offer: (i64::MAX, 0),
};

/// Parts the orders into taken and refused. `zones` gives the zone of each row and how many there
/// are, in a market that has zones.
pub(crate) fn admit(
    orders: &OrderColumns<'_>,
    rules: MarketRules,
    zones: Option<(&[u32], u32)>,
) -> Result<Admitted, MarketError> {
    orders.check()?;
    let arrival = Arrival::of(orders.order_id);
    let participants = orders.participant.iter().max().map_or(0, |most| most + 1);
    let mut resting = vec![NOTHING; participants as usize];
    let rows = orders.len();
    let (mut bids, mut offers) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
    let mut refusals = Vec::new();
    let number_at = |position: usize| orders.order_id[arrival.row(position) as usize];
    let mut before = None;
    for position in 0..rows {
        let row = arrival.row(position);
        let number = orders.order_id[row as usize];
        let repeated =
            before == Some(number) || position + 1 < rows && number_at(position + 1) == number;
        before = Some(number);
        let checked = if repeated {
            Err(RejectionReason::OrderIdRepeated)
        } else {
            check(orders, row as usize, rules, zones).and_then(|()| rest(orders, row, &mut resting))
        };
        match checked {
            Ok(()) => {
                let is_bid = orders.is_bid[row as usize];
                let price = orders.price_micro_per_kwh[row as usize];
                let side = if is_bid { &mut bids } else { &mut offers };
                side.push(Ranked::new(is_bid, price, position as u32));
            }
            Err(reason) => refusals.push(Refusal { row, reason }),
        }
    }
    Ok(Admitted {
        arrival,
        bids,
        offers,
        refusals,
    })
}

/// Asks each rule about the order by itself, in the order of [`RejectionReason`].
fn check(
    orders: &OrderColumns<'_>,
    row: usize,
    rules: MarketRules,
    zones: Option<(&[u32], u32)>,
) -> Result<(), RejectionReason> {
    let energy_milliwh = orders.energy_milliwh[row];
    let price_micro_per_kwh = orders.price_micro_per_kwh[row];
    if energy_milliwh <= 0 {
        return Err(RejectionReason::EnergyNotPositive { energy_milliwh });
    }
    if Energy::from_milliwh(energy_milliwh).is_err() {
        return Err(RejectionReason::EnergyBound { energy_milliwh });
    }
    let lot_milliwh = rules.lot_milliwh();
    if energy_milliwh % lot_milliwh != 0 {
        return Err(RejectionReason::Lot {
            energy_milliwh,
            lot_milliwh,
        });
    }
    if Price::from_micro_per_kwh(price_micro_per_kwh).is_err() {
        return Err(RejectionReason::PriceBound {
            price_micro_per_kwh,
        });
    }
    let tick_micro_per_kwh = rules.tick_micro_per_kwh();
    if price_micro_per_kwh % tick_micro_per_kwh != 0 {
        return Err(RejectionReason::PriceOffTick {
            price_micro_per_kwh,
            tick_micro_per_kwh,
        });
    }
    match zones {
        Some((zone, zones)) if zone[row] >= zones => Err(RejectionReason::ZoneUnknown {
            zone: zone[row],
            zones,
        }),
        _ => Ok(()),
    }
}

/// Refuses an order that would meet one of its own participant, or remembers it.
fn rest(
    orders: &OrderColumns<'_>,
    row: u32,
    resting: &mut [Resting],
) -> Result<(), RejectionReason> {
    let at = row as usize;
    let price = orders.price_micro_per_kwh[at];
    let own = &mut resting[orders.participant[at] as usize];
    let (crosses, against) = if orders.is_bid[at] {
        (price >= own.offer.0, own.offer.1)
    } else {
        (price <= own.bid.0, own.bid.1)
    };
    if crosses {
        return Err(RejectionReason::SelfCross {
            price_micro_per_kwh: price,
            against: orders.order_id[against as usize],
        });
    }
    if orders.is_bid[at] {
        if price > own.bid.0 {
            own.bid = (price, row);
        }
    } else if price < own.offer.0 {
        own.offer = (price, row);
    }
    Ok(())
}
