//! Which orders the market takes.

use std::collections::BTreeMap;

use gridrig_quantity::{Energy, Price, Side};

use crate::{MarketRules, Order, Rejection, RejectionReason};

/// An order that broke no rule.
pub(crate) struct Admitted<'a> {
    pub(crate) order_id: u64,
    pub(crate) participant: &'a str,
    pub(crate) side: Side,
    pub(crate) energy: Energy,
    pub(crate) price: Price,
}

/// The order of one participant and side that is easiest to meet.
#[derive(Clone, Copy)]
struct Best {
    price: Price,
    order_id: u64,
}

/// Sorts the orders by arrival and parts them into taken and refused.
pub(crate) fn admit(orders: &[Order], rules: MarketRules) -> (Vec<Admitted<'_>>, Vec<Rejection>) {
    let mut by_arrival: Vec<&Order> = orders.iter().collect();
    by_arrival.sort_by_key(|order| order.order_id);
    let mut admitted = Vec::with_capacity(orders.len());
    let mut rejections = Vec::new();
    let mut resting: BTreeMap<(&str, Side), Best> = BTreeMap::new();
    for (place, order) in by_arrival.iter().enumerate() {
        let same = |other: Option<&&Order>| other.is_some_and(|o| o.order_id == order.order_id);
        let repeated = same(by_arrival.get(place + 1))
            || place
                .checked_sub(1)
                .is_some_and(|before| same(by_arrival.get(before)));
        match check(order, repeated, rules, &resting) {
            Ok(taken) => {
                rest(&mut resting, &taken);
                admitted.push(taken);
            }
            Err(reason) => rejections.push(Rejection {
                order_id: order.order_id,
                reason,
            }),
        }
    }
    (admitted, rejections)
}

/// Asks each rule in the order of [`RejectionReason`].
fn check<'a>(
    order: &'a Order,
    repeated: bool,
    rules: MarketRules,
    resting: &BTreeMap<(&str, Side), Best>,
) -> Result<Admitted<'a>, RejectionReason> {
    let Order {
        energy_milliwh,
        price_micro_per_kwh,
        side,
        ..
    } = *order;
    if repeated {
        return Err(RejectionReason::OrderIdRepeated);
    }
    if energy_milliwh <= 0 {
        return Err(RejectionReason::EnergyNotPositive { energy_milliwh });
    }
    let energy = Energy::from_milliwh(energy_milliwh)
        .map_err(|_| RejectionReason::EnergyBound { energy_milliwh })?;
    let lot_milliwh = rules.lot_milliwh();
    if energy_milliwh % lot_milliwh != 0 {
        return Err(RejectionReason::Lot {
            energy_milliwh,
            lot_milliwh,
        });
    }
    let price = Price::from_micro_per_kwh(price_micro_per_kwh).map_err(|_| {
        RejectionReason::PriceBound {
            price_micro_per_kwh,
        }
    })?;
    let tick_micro_per_kwh = rules.tick_micro_per_kwh();
    if price_micro_per_kwh % tick_micro_per_kwh != 0 {
        return Err(RejectionReason::PriceOffTick {
            price_micro_per_kwh,
            tick_micro_per_kwh,
        });
    }
    let participant = order.participant.as_str();
    if let Some(own) = resting.get(&(participant, side.opposite())) {
        let crosses = match side {
            Side::Bid => price >= own.price,
            Side::Offer => price <= own.price,
        };
        if crosses {
            return Err(RejectionReason::SelfCross {
                price_micro_per_kwh,
                against: own.order_id,
            });
        }
    }
    Ok(Admitted {
        order_id: order.order_id,
        participant,
        side,
        energy,
        price,
    })
}

/// Remembers the dearest bid and the cheapest offer of each participant.
fn rest<'a>(resting: &mut BTreeMap<(&'a str, Side), Best>, taken: &Admitted<'a>) {
    let new = Best {
        price: taken.price,
        order_id: taken.order_id,
    };
    let best = resting
        .entry((taken.participant, taken.side))
        .or_insert(new);
    let easier = match taken.side {
        Side::Bid => new.price > best.price,
        Side::Offer => new.price < best.price,
    };
    if easier {
        *best = new;
    }
}
