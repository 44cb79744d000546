//! Laws of the auction, against oracles that share no code with it.

#![allow(clippy::unwrap_used, reason = "what is wrong here fails the test")]

use std::collections::BTreeMap;

use gridrig_market::{
    AuctionRules, Clearing, MarketRules, Order, PriceRule, Ties, clear_pay_as_bid,
    clear_pay_as_clear,
};
use gridrig_quantity::Side;
use proptest::prelude::*;

const LOT: i64 = 10;
const TICK: i64 = 5;

fn clear(orders: &[Order]) -> Clearing {
    clear_pay_as_clear(orders, MarketRules::new(LOT, TICK).unwrap()).unwrap()
}

fn pro_rata(seed: u64) -> AuctionRules {
    AuctionRules {
        market: MarketRules::new(LOT, TICK).unwrap(),
        ties: Ties::ProRata { seed },
        price: PriceRule::Middle,
    }
}

/// Orders on the grid of lots and ticks, few prices so that ties abound, each its own trader.
fn clean_orders(most: usize, lots_max: i64) -> impl Strategy<Value = Vec<Order>> {
    let one = (any::<bool>(), 1..=lots_max, -4i64..=8);
    prop::collection::vec(one, 0..=most).prop_map(|drawn| {
        let place = |(id, (buys, lots, ticks)): (usize, (bool, i64, i64))| Order {
            order_id: id as u64 * 3,
            participant: format!("p{id}"),
            side: if buys { Side::Bid } else { Side::Offer },
            energy_milliwh: lots * LOT,
            price_micro_per_kwh: ticks * TICK,
        };
        drawn.into_iter().enumerate().map(place).collect()
    })
}

/// Orders of every kind, the refused ones among them: shared numbers and traders, off grid,
/// extreme.
fn any_orders() -> impl Strategy<Value = Vec<Order>> {
    let energy = prop_oneof![8 => (-1i64..6).prop_map(|l| l * LOT), 1 => any::<i64>()];
    let price = prop_oneof![8 => (-3i64..6).prop_map(|t| t * TICK), 1 => any::<i64>()];
    let one = (0u64..30, 0u8..5, any::<bool>(), energy, price);
    prop::collection::vec(one, 0..25).prop_map(|drawn| {
        let place = |(order_id, who, buys, energy_milliwh, price_micro_per_kwh)| Order {
            order_id,
            participant: format!("p{who}"),
            side: if buys { Side::Bid } else { Side::Offer },
            energy_milliwh,
            price_micro_per_kwh,
        };
        drawn.into_iter().map(place).collect()
    })
}

/// Largest welfare of any allocation, by trying every number of lots for every order.
fn best_welfare_by_brute_force(orders: &[Order]) -> i128 {
    // Best value for each net position in lots: bids add lots, offers take them away.
    let mut best: BTreeMap<i64, i128> = BTreeMap::from([(0, 0)]);
    for order in orders {
        let mut next: BTreeMap<i64, i128> = BTreeMap::new();
        for (&net, &value) in &best {
            for lots in 0..=order.energy_milliwh / LOT {
                let worth = i128::from(lots * LOT) * i128::from(order.price_micro_per_kwh);
                let (net, value) = match order.side {
                    Side::Bid => (net + lots, value + worth),
                    Side::Offer => (net - lots, value - worth),
                };
                let entry = next.entry(net).or_insert(value);
                *entry = (*entry).max(value);
            }
        }
        best = next;
    }
    best[&0]
}

/// Volume and fills of the merit order, served one lot at a time by a linear search.
fn fills_by_linear_search(orders: &[Order]) -> BTreeMap<u64, i64> {
    let mut left: Vec<i64> = orders.iter().map(|order| order.energy_milliwh).collect();
    let mut fills = BTreeMap::new();
    loop {
        let open = |side| (0..orders.len()).filter(move |&i| orders[i].side == side);
        let key = |i: usize| (orders[i].price_micro_per_kwh, orders[i].order_id);
        let bid = open(Side::Bid)
            .filter(|&i| left[i] > 0)
            .min_by_key(|&i| (-key(i).0, key(i).1));
        let offer = open(Side::Offer)
            .filter(|&i| left[i] > 0)
            .min_by_key(|&i| key(i));
        match (bid, offer) {
            (Some(b), Some(o)) if key(b).0 >= key(o).0 => {
                for i in [b, o] {
                    left[i] -= LOT;
                    *fills.entry(orders[i].order_id).or_insert(0) += LOT;
                }
            }
            _ => return fills,
        }
    }
}

fn filled(clearing: &Clearing) -> BTreeMap<u64, i64> {
    clearing
        .trades
        .iter()
        .map(|t| (t.order_id, t.energy.milliwh()))
        .collect()
}

proptest! {
    #[test]
    fn prop_no_allocation_has_a_larger_welfare(orders in clean_orders(9, 4)) {
        prop_assert_eq!(clear(&orders).welfare_pico, best_welfare_by_brute_force(&orders));
    }

    #[test]
    fn prop_fills_are_those_of_the_merit_order_with_ties_by_arrival(
        orders in clean_orders(30, 12)
    ) {
        prop_assert_eq!(filled(&clear(&orders)), fills_by_linear_search(&orders));
    }

    #[test]
    fn prop_the_price_supports_what_is_cleared(orders in clean_orders(30, 12)) {
        let clearing = clear(&orders);
        let fills = filled(&clearing);
        prop_assert_eq!(clearing.price.is_some(), !clearing.trades.is_empty());
        let Some(price) = clearing.price.map(|p| p.micro_per_kwh()) else { return Ok(()) };
        prop_assert_eq!(price.rem_euclid(TICK), 0);
        for order in &orders {
            let gain = match order.side {
                Side::Bid => order.price_micro_per_kwh - price,
                Side::Offer => price - order.price_micro_per_kwh,
            };
            let fill = fills.get(&order.order_id).copied().unwrap_or(0);
            // Whoever gains is filled, whoever would lose is not: nobody envies at this price.
            prop_assert!(gain <= 0 || fill == order.energy_milliwh);
            prop_assert!(gain >= 0 || fill == 0);
        }
    }

    #[test]
    fn prop_permuting_the_slice_changes_nothing(
        (orders, shuffled) in any_orders()
            .prop_flat_map(|orders| (Just(orders.clone()), Just(orders).prop_shuffle()))
    ) {
        prop_assert_eq!(clear(&orders), clear(&shuffled));
    }

    #[test]
    fn prop_every_order_is_accounted_for(orders in any_orders()) {
        let clearing = clear(&orders);
        let mut bought_less_sold = 0;
        for trade in &clearing.trades {
            let order = orders.iter().find(|o| o.order_id == trade.order_id).unwrap();
            let (energy, price) = (trade.energy.milliwh(), trade.price.micro_per_kwh());
            prop_assert!(0 < energy && energy <= order.energy_milliwh && energy % LOT == 0);
            prop_assert_eq!((&trade.participant, trade.side), (&order.participant, order.side));
            match order.side {
                Side::Bid => prop_assert!(price <= order.price_micro_per_kwh),
                Side::Offer => prop_assert!(price >= order.price_micro_per_kwh),
            }
            bought_less_sold += if order.side == Side::Bid { energy } else { -energy };
        }
        prop_assert_eq!(bought_less_sold, 0);
        let fills = filled(&clearing);
        let left: BTreeMap<_, _> =
            clearing.residuals.iter().map(|r| (r.order_id, r.energy.milliwh())).collect();
        for order in &orders {
            let refused = clearing.rejections.iter().any(|r| r.order_id == order.order_id);
            let id = &order.order_id;
            let seen = fills.get(id).unwrap_or(&0) + left.get(id).unwrap_or(&0);
            prop_assert_eq!(seen, if refused { 0 } else { order.energy_milliwh });
        }
        let ids: Vec<_> = clearing.trades.iter().map(|t| t.trade_id).collect();
        prop_assert_eq!(ids, (1..=clearing.trades.len() as u64).collect::<Vec<_>>());
    }

    #[test]
    fn prop_nobody_trades_with_itself(orders in any_orders()) {
        let clearing = clear(&orders);
        for trade in &clearing.trades {
            let own = |t: &gridrig_market::Trade| t.participant == trade.participant;
            prop_assert!(clearing.trades.iter().all(|t| t.side == trade.side || !own(t)));
        }
    }

    #[test]
    fn prop_pro_rata_gives_everybody_its_proportion_to_within_a_lot(
        orders in clean_orders(30, 12), seed in any::<u64>()
    ) {
        let by_time = clear(&orders);
        let shared = clear_pay_as_clear(&orders, pro_rata(seed)).unwrap();
        prop_assert_eq!(
            (shared.price, shared.volume, shared.welfare_pico),
            (by_time.price, by_time.volume, by_time.welfare_pico)
        );
        let (first, now) = (filled(&by_time), filled(&shared));
        let mut levels: BTreeMap<_, Vec<&Order>> = BTreeMap::new();
        for order in &orders {
            levels.entry((order.side, order.price_micro_per_kwh)).or_default().push(order);
        }
        for level in levels.values() {
            let sum = |fills: &BTreeMap<u64, i64>| -> i64 {
                level.iter().map(|order| fills.get(&order.order_id).unwrap_or(&0)).sum()
            };
            let asked: i64 = level.iter().map(|order| order.energy_milliwh).sum();
            prop_assert_eq!(sum(&first), sum(&now));
            for order in level {
                let fill = now.get(&order.order_id).copied().unwrap_or(0);
                let away = fill * asked - sum(&first) * order.energy_milliwh;
                prop_assert!(away.abs() < LOT * asked && fill <= order.energy_milliwh);
            }
        }
    }

    #[test]
    fn prop_pay_as_bid_trades_the_same_energy_each_pair_at_its_bid(
        orders in any_orders(), seed in any::<u64>()
    ) {
        let rules = pro_rata(seed);
        let (uniform, pairs) = (
            clear_pay_as_clear(&orders, rules).unwrap(),
            clear_pay_as_bid(&orders, rules).unwrap(),
        );
        prop_assert_eq!(&uniform.rejections, &pairs.rejections);
        prop_assert_eq!(&uniform.residuals, &pairs.residuals);
        prop_assert_eq!(uniform.welfare_pico, pairs.welfare_pico);
        let mut fills: BTreeMap<u64, i64> = BTreeMap::new();
        for trade in &pairs.trades {
            *fills.entry(trade.order_id).or_default() += trade.energy.milliwh();
        }
        prop_assert_eq!(fills, filled(&uniform));
        let limit = |id| {
            let own = orders.iter().find(|order| order.order_id == id).unwrap();
            own.price_micro_per_kwh
        };
        for pair in pairs.trades.chunks(2) {
            let [bid, offer] = pair else { panic!("half a pair") };
            prop_assert_eq!((bid.side, offer.side), (Side::Bid, Side::Offer));
            prop_assert_eq!((bid.energy, bid.price), (offer.energy, offer.price));
            prop_assert_eq!(bid.price.micro_per_kwh(), limit(bid.order_id));
            prop_assert!(limit(offer.order_id) <= limit(bid.order_id));
            prop_assert_ne!(&bid.participant, &offer.participant);
        }
        let merit: Vec<_> = pairs.trades.chunks(2).map(|p| -limit(p[0].order_id)).collect();
        prop_assert!(merit.is_sorted());
        let offers: Vec<_> = pairs.trades.chunks(2).map(|p| limit(p[1].order_id)).collect();
        prop_assert!(offers.is_sorted());
    }
}
