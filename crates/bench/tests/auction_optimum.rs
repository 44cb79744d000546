//! E1 clears to the optimum that a merit order gives; E2 is what Python's generator makes of it.

use gridrig_bench::{AuctionOrder, e1, e2};
use gridrig_market::{MarketRules, Order, clear_pay_as_clear};
use gridrig_quantity::Side;

const PICO_PER_CENT: i128 = 10_000_000_000;

fn cleared(orders: &[AuctionOrder]) -> (i64, i128) {
    let order = |(i, one): (usize, &AuctionOrder)| Order {
        order_id: i as u64,
        participant: format!("trader-{i}"),
        side: one.side,
        energy_milliwh: one.energy_milliwh,
        price_micro_per_kwh: one.price_micro_per_kwh,
    };
    let orders: Vec<Order> = orders.iter().enumerate().map(order).collect();
    let rules = MarketRules::new(1_000, 1).expect("a valid rule");
    let clearing = clear_pay_as_clear(&orders, rules).expect("a well posed auction");
    (clearing.volume.milliwh(), clearing.welfare_pico)
}

#[test]
fn e1_clears_to_the_known_optimum() {
    // Orders, volume in hundredths of a kWh, welfare in hundredths of a ct.
    let known = [
        (10, 98, 793),
        (100, 1_582, 19_159),
        (1_000, 15_627, 191_352),
        (4_000, 61_695, 785_237),
        (8_000, 126_164, 1_594_105),
        (20_000, 315_268, 4_015_128),
        (100_000, 1_569_203, 20_175_608),
    ];
    for (orders, hundredths_kwh, hundredths_ct) in known {
        let (volume_milliwh, welfare_pico) = cleared(&e1(orders));
        assert_eq!(volume_milliwh, hundredths_kwh * 10_000, "{orders} orders");
        assert_eq!(
            welfare_pico,
            hundredths_ct * PICO_PER_CENT / 100,
            "{orders} orders"
        );
    }
}

#[test]
fn e2_is_drawn_as_python_draws_it() {
    // random.Random(42): 0.6394267984578837, 0.025010755222666936, 0.27502931836911926, 0.22321...
    let first = e2(2);
    assert_eq!(first[0].side, Side::Bid);
    assert_eq!(first[0].price_micro_per_kwh, 227_885_360);
    assert_eq!(first[0].energy_milliwh, 26_000);
    assert_eq!(first[1].side, Side::Offer);
    assert_eq!(first[1].price_micro_per_kwh, 105_005_864);
    assert_eq!(first[1].energy_milliwh, 224_000);
}

#[test]
fn hardly_two_orders_of_e2_share_a_price() {
    let orders = e2(100_000);
    let mut prices: Vec<i64> = orders.iter().map(|one| one.price_micro_per_kwh).collect();
    prices.sort_unstable();
    prices.dedup();
    assert!(prices.len() > 99_000, "{} prices", prices.len());
}
