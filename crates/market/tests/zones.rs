//! Examples of the clearing in zones, each worked out by hand.

#![allow(clippy::unwrap_used, reason = "what is wrong here fails the test")]

use gridrig_market::{Link, MarketRules, Order, ZonalClearing, Zone, ZoneNetwork, clear_zonal};
use gridrig_quantity::Side;

const KWH: i64 = 1_000_000;
const CENT: i64 = 10_000;

/// (zone, side, energy [kWh], price [cent/kWh]); the order's number is its place.
fn clear(orders: &[(u32, Side, i64, i64)], network: &ZoneNetwork) -> ZonalClearing {
    let zone: Vec<u32> = orders.iter().map(|order| order.0).collect();
    let orders: Vec<Order> = orders
        .iter()
        .zip(0..)
        .map(|(&(_, side, energy, price), order_id)| Order {
            order_id,
            participant: format!("p{order_id}"),
            side,
            energy_milliwh: energy * KWH,
            price_micro_per_kwh: price * CENT,
        })
        .collect();
    let rules = MarketRules::new(1_000, 1_000).unwrap();
    clear_zonal(&orders, &zone, network, rules).unwrap()
}

fn link(from: u32, to: u32, most: i64, fee: i64) -> Link {
    Link {
        from,
        to,
        forward_milliwh_max: most * KWH,
        backward_milliwh_max: most * KWH,
        forward_fee_micro_per_kwh: fee * CENT,
        backward_fee_micro_per_kwh: fee * CENT,
    }
}

fn network(zones: usize, links: &[Link]) -> ZoneNetwork {
    ZoneNetwork::new(vec![Zone::default(); zones], links.to_vec()).unwrap()
}

fn prices(clearing: &ZonalClearing) -> Vec<Option<i64>> {
    let cent = |zone: &gridrig_market::ZoneCleared| zone.price.map(|p| p.micro_per_kwh() / CENT);
    clearing.columns.zones.iter().map(cent).collect()
}

fn net(clearing: &ZonalClearing) -> Vec<i64> {
    let links = &clearing.columns.links;
    links.iter().map(|link| link.net.milliwh() / KWH).collect()
}

#[test]
fn a_full_link_parts_the_prices_and_the_difference_is_rent() {
    let orders = [
        (0, Side::Offer, 10, 10),
        (1, Side::Bid, 8, 30),
        (1, Side::Offer, 5, 25),
    ];
    let clearing = clear(&orders, &network(2, &[link(0, 1, 4, 2)]));
    assert_eq!(net(&clearing), [4]);
    assert_eq!(prices(&clearing), [Some(10), Some(25)]);
    let columns = &clearing.columns;
    // Bought 8 kWh at 25 ct; sold 4 at 10 ct and 4 at 25 ct; 4 kWh at a fee of 2 ct.
    let money = [
        columns.payments,
        columns.receipts,
        columns.fees,
        columns.rent,
    ];
    assert_eq!(
        money.map(gridrig_quantity::Amount::micro),
        [2_000_000, 1_400_000, 80_000, 520_000]
    );
}

#[test]
fn energy_goes_the_way_of_the_lowest_fee_and_then_of_the_fewest_links() {
    let orders = [(0, Side::Offer, 6, 10), (2, Side::Bid, 6, 30)];
    let loops = [
        link(0, 2, 4, 4),
        link(0, 1, 9, 2),
        link(1, 2, 9, 2),
        link(0, 2, 1, 3),
    ];
    let clearing = clear(&orders, &network(3, &loops));
    assert_eq!(net(&clearing), [4, 1, 1, 1]);
    assert_eq!(clearing.columns.fees.micro(), (4 * 4 + 2 + 2 + 3) * CENT);
}

#[test]
fn a_fee_above_the_gain_lets_nothing_flow_and_a_zone_without_trades_has_no_price() {
    let orders = [
        (0, Side::Offer, 6, 10),
        (1, Side::Bid, 6, 30),
        (2, Side::Bid, 1, 12),
        (2, Side::Offer, 1, 12),
    ];
    let clearing = clear(
        &orders,
        &network(3, &[link(0, 1, 9, 21), link(1, 2, 9, 19)]),
    );
    assert_eq!(net(&clearing), [0, 0]);
    assert_eq!(prices(&clearing), [None, None, Some(12)]);
}

#[test]
fn equal_offers_of_two_zones_are_served_by_arrival() {
    let orders = [
        (1, Side::Offer, 5, 10),
        (0, Side::Offer, 5, 10),
        (2, Side::Bid, 7, 20),
    ];
    let both = network(3, &[link(0, 2, 9, 1), link(1, 2, 9, 1)]);
    assert_eq!(net(&clear(&orders, &both)), [2, 5]);
}

#[test]
fn a_limited_zone_imports_no_more_than_its_limit() {
    let limited = Zone {
        import_milliwh_max: Some(3 * KWH),
        ..Zone::default()
    };
    let zones = vec![Zone::default(), limited];
    let network = ZoneNetwork::new(zones, vec![link(0, 1, 9, 0)]).unwrap();
    let orders = [
        (0, Side::Offer, 9, 10),
        (1, Side::Bid, 5, 30),
        (1, Side::Offer, 1, 20),
    ];
    let clearing = clear(&orders, &network);
    assert_eq!(net(&clearing), [3]);
    assert_eq!(prices(&clearing), [Some(10), Some(30)]);
}

#[test]
fn an_order_of_no_zone_is_refused_and_crosses_nothing() {
    let orders = [(7, Side::Offer, 1, 1), (0, Side::Bid, 1, 5)];
    let clearing = clear(&orders, &network(1, &[]));
    let rejection = &clearing.rejections[0];
    assert_eq!(rejection.reason.code(), "market.zone_unknown");
    assert_eq!(
        rejection.reason.to_string(),
        "zone 7 is none of the 1 zones, numbered from 0"
    );
}

#[test]
fn a_network_that_does_not_fit_is_an_error() {
    let refused =
        |zones: Vec<Zone>, links: Vec<Link>| ZoneNetwork::new(zones, links).unwrap_err().code();
    let two = || vec![Zone::default(); 2];
    let with = |change: fn(&mut Link)| {
        let mut changed = link(0, 1, 1, 1);
        change(&mut changed);
        vec![changed]
    };
    let negative = Zone {
        export_milliwh_max: Some(-1),
        ..Zone::default()
    };
    assert_eq!(refused(vec![], vec![]), "market.zones_bound");
    assert_eq!(
        refused(two(), vec![link(0, 1, 1, 1); 10_001]),
        "market.links_bound"
    );
    assert_eq!(refused(vec![negative], vec![]), "market.zone_limit");
    assert_eq!(refused(two(), with(|l| l.to = 0)), "market.link_end");
    assert_eq!(refused(two(), with(|l| l.from = 2)), "market.link_end");
    assert_eq!(
        refused(two(), with(|l| l.forward_milliwh_max = -1)),
        "market.link_limit"
    );
    assert_eq!(
        refused(two(), with(|l| l.backward_fee_micro_per_kwh = -1)),
        "market.link_fee"
    );
    let off = network(2, &with(|l| l.forward_fee_micro_per_kwh = 1_500));
    let rules = MarketRules::new(1_000, 1_000).unwrap();
    let error = clear_zonal(&[], &[], &off, rules).unwrap_err();
    assert_eq!(error.code(), "market.link_fee_off_tick");
    assert_eq!(
        error.to_string(),
        "link 0: fee 1500 micro/kWh is not a multiple of tick 1000"
    );
}
