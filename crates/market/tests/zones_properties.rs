//! Laws of the clearing in zones, on random networks with loops, full links and limited zones.
//!
//! GRIDRIG_CASES sets how many networks each law is tried on.

#![allow(clippy::unwrap_used, reason = "what is wrong here fails the test")]

mod support;

use std::collections::BTreeMap;

use gridrig_market::{
    AuctionRules, MarketRules, PriceRule, Ties, ZonalClearing, ZoneNetwork, clear_pay_as_clear,
    clear_zonal,
};
use gridrig_quantity::{Amount, Price, Side};
use proptest::prelude::*;
use support::{LOT, Market, TICK, best_by_cancelling_cycles, markets};

fn cases() -> u32 {
    let set = std::env::var("GRIDRIG_CASES").ok();
    set.map_or(250, |cases| cases.parse().unwrap())
}

fn rules(ties: Ties, price: PriceRule) -> AuctionRules {
    let market = MarketRules::new(LOT, TICK).unwrap();
    AuctionRules {
        market,
        ties,
        price,
    }
}

fn clear(market: &Market, rules: AuctionRules) -> ZonalClearing {
    clear_zonal(&market.orders, &market.zone, &market.network, rules).unwrap()
}

fn any_rules() -> impl Strategy<Value = AuctionRules> {
    let ties = prop_oneof![
        Just(Ties::Time),
        any::<u64>().prop_map(|seed| Ties::ProRata { seed })
    ];
    let price = prop_oneof![
        Just(PriceRule::Lowest),
        Just(PriceRule::Middle),
        Just(PriceRule::Highest)
    ];
    (ties, price).prop_map(|(ties, price)| rules(ties, price))
}

/// Price of a zone that trades. [millionths/kWh]
fn price(clearing: &ZonalClearing, zone: u32) -> Option<i64> {
    let price = clearing.columns.zones[zone as usize].price;
    price.map(Price::micro_per_kwh)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn prop_welfare_then_energy_then_flow_then_arrival_is_the_best_there_is(
        market in markets()
    ) {
        let columns = clear(&market, rules(Ties::Time, PriceRule::Middle)).columns;
        let waited: i64 = columns.filled_milliwh.iter().zip(0..).map(|(fill, place)| fill * place).sum();
        let carried: i64 = columns.links.iter().map(|link| link.net.milliwh().abs()).sum();
        let [gain, energy, flow, arrival] = best_by_cancelling_cycles(&market);
        prop_assert_eq!(columns.welfare_pico, i128::from(gain * LOT));
        prop_assert_eq!(columns.volume.milliwh(), energy * LOT);
        prop_assert_eq!(carried, flow * LOT);
        prop_assert_eq!(waited, arrival * LOT);
    }

    #[test]
    fn prop_every_better_order_is_filled_and_no_worse_one(
        market in markets(), rules in any_rules()
    ) {
        let clearing = clear(&market, rules);
        for (row, order) in market.orders.iter().enumerate() {
            let fill = clearing.columns.filled_milliwh[row];
            prop_assert!(0 <= fill && fill <= order.energy_milliwh && fill % LOT == 0);
            let Some(price) = price(&clearing, market.zone[row]) else {
                prop_assert_eq!(fill, 0, "a zone without a price has no trades");
                continue;
            };
            prop_assert_eq!(price.rem_euclid(TICK), 0);
            let gain = match order.side {
                Side::Bid => order.price_micro_per_kwh - price,
                Side::Offer => price - order.price_micro_per_kwh,
            };
            prop_assert!(gain <= 0 || fill == order.energy_milliwh, "{order:?} at {price}");
            prop_assert!(gain >= 0 || fill == 0, "{order:?} at {price}");
        }
    }

    #[test]
    fn prop_prices_differ_by_the_fee_as_the_flow_says(
        market in markets(), rules in any_rules()
    ) {
        let clearing = clear(&market, rules);
        let limited = |zone: u32| {
            let zone = market.network.zones()[zone as usize];
            zone.export_milliwh_max.is_some() || zone.import_milliwh_max.is_some()
        };
        for (link, cleared) in market.network.links().iter().zip(&clearing.columns.links) {
            let ends = (price(&clearing, link.from), price(&clearing, link.to));
            let (Some(from), Some(to)) = ends else { continue };
            if limited(link.from) || limited(link.to) {
                continue;
            }
            let (rise, net) = (to - from, cleared.net.milliwh());
            let (fee, fee_back) = (link.forward_fee_micro_per_kwh, link.backward_fee_micro_per_kwh);
            let most = link.forward_milliwh_max / LOT * LOT;
            let least = -(link.backward_milliwh_max / LOT * LOT);
            prop_assert!(least <= net && net <= most && net % LOT == 0);
            // Full: at least the fee. Carrying below the limit: the fee. Idle: at most the fee.
            prop_assert!(net <= 0 || rise >= fee);
            prop_assert!(net == most || net < 0 || rise <= fee);
            prop_assert!(net >= 0 || -rise >= fee_back);
            prop_assert!(net == least || net > 0 || -rise <= fee_back);
        }
    }

    #[test]
    fn prop_a_limited_zone_keeps_its_limits_and_every_zone_balances(market in markets()) {
        let columns = clear(&market, rules(Ties::Time, PriceRule::Middle)).columns;
        for (number, zone) in market.network.zones().iter().enumerate() {
            let cleared = columns.zones[number];
            let given = cleared.sold.milliwh() - cleared.bought.milliwh();
            let leaving: i64 = market
                .network
                .links()
                .iter()
                .zip(&columns.links)
                .map(|(link, flow)| {
                    let sign = i64::from(link.from as usize == number)
                        - i64::from(link.to as usize == number);
                    sign * flow.net.milliwh()
                })
                .sum();
            prop_assert_eq!(given, leaving);
            prop_assert!(zone.export_milliwh_max.is_none_or(|most| given <= most));
            prop_assert!(zone.import_milliwh_max.is_none_or(|most| -given <= most));
        }
    }

    #[test]
    fn prop_payments_are_receipts_and_fees_and_rent_to_the_last_unit(
        market in markets(), rules in any_rules()
    ) {
        let clearing = clear(&market, rules);
        let columns = &clearing.columns;
        let of = |side| {
            let own = clearing.trades.iter().filter(move |trade| trade.side == side);
            Amount::sum(own.map(|trade| Amount::of(trade.energy, trade.price))).unwrap()
        };
        prop_assert_eq!(of(Side::Bid), columns.payments);
        prop_assert_eq!(of(Side::Offer), columns.receipts);
        let paid = [columns.receipts, columns.fees, columns.rent];
        prop_assert_eq!(Amount::sum(paid).unwrap(), columns.payments);
        // Without a full link or a zone at its limit there is no rent but half a unit a line.
        let lines = clearing.trades.len() + columns.links.len();
        prop_assert!(2 * columns.rent.micro() >= -(lines as i64), "rent {:?}", columns.rent);
    }

    #[test]
    fn prop_one_zone_clears_as_pay_as_clear(market in markets(), rules in any_rules()) {
        let one = ZoneNetwork::new(vec![Default::default()], Vec::new()).unwrap();
        let zone = vec![0; market.orders.len()];
        let zonal = clear_zonal(&market.orders, &zone, &one, rules).unwrap();
        let plain = clear_pay_as_clear(&market.orders, rules).unwrap();
        prop_assert_eq!(zonal.trades, plain.trades);
        prop_assert_eq!(zonal.residuals, plain.residuals);
        prop_assert_eq!(zonal.columns.zones[0].price, plain.price);
        prop_assert_eq!(zonal.columns.welfare_pico, plain.welfare_pico);
        prop_assert_eq!(zonal.columns.rent, Amount::ZERO);
    }

    #[test]
    fn prop_permuting_orders_changes_nothing(
        (market, places) in markets().prop_flat_map(|market| {
            let places: Vec<usize> = (0..market.orders.len()).collect();
            (Just(market), Just(places).prop_shuffle())
        }),
        rules in any_rules()
    ) {
        let shuffled = Market {
            orders: places.iter().map(|&place| market.orders[place].clone()).collect(),
            zone: places.iter().map(|&place| market.zone[place]).collect(),
            network: market.network.clone(),
        };
        let (one, other) = (clear(&market, rules), clear(&shuffled, rules));
        prop_assert_eq!(one.trades, other.trades);
        prop_assert_eq!(one.columns.zones, other.columns.zones);
        prop_assert_eq!(one.columns.rent, other.columns.rent);
    }

    #[test]
    fn prop_equals_of_a_zone_share_as_stated(market in markets(), seed in any::<u64>()) {
        let by_time = clear(&market, rules(Ties::Time, PriceRule::Middle)).columns;
        let pro_rata = clear(&market, rules(Ties::ProRata { seed }, PriceRule::Middle)).columns;
        prop_assert_eq!(&by_time.zones, &pro_rata.zones);
        let mut levels: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (row, order) in market.orders.iter().enumerate() {
            let level = (market.zone[row], order.side, order.price_micro_per_kwh);
            levels.entry(level).or_default().push(row);
        }
        for rows in levels.values() {
            let asked: i64 = rows.iter().map(|&row| market.orders[row].energy_milliwh).sum();
            let filled: i64 = rows.iter().map(|&row| by_time.filled_milliwh[row]).sum();
            let shared: i64 = rows.iter().map(|&row| pro_rata.filled_milliwh[row]).sum();
            prop_assert_eq!(filled, shared);
            // By time: once an order is not filled, nobody after it gets anything.
            let open = rows.iter().position(|&row| {
                by_time.filled_milliwh[row] < market.orders[row].energy_milliwh
            });
            for &row in rows.iter().skip(open.map_or(rows.len(), |first| first + 1)) {
                prop_assert_eq!(by_time.filled_milliwh[row], 0);
            }
            // Pro rata: nobody is a lot or more away from its exact proportion.
            for &row in rows {
                let own = market.orders[row].energy_milliwh;
                let away = pro_rata.filled_milliwh[row] * asked - filled * own;
                prop_assert!(away.abs() < LOT * asked);
            }
        }
    }
}
