//! Examples of the auction: one scenario a test, and every rejection hit once.

#![allow(clippy::unwrap_used, reason = "what is wrong here fails the test")]

use gridrig_market::{
    AuctionRules, Clearing, MarketError, MarketRules, Order, OrderColumns, PriceRule, Ties,
    clear_pay_as_bid, clear_pay_as_clear, pay_as_clear,
};
use gridrig_quantity::Side;

const RULES: (i64, i64) = (1_000, 1_000);

fn order(order_id: u64, participant: &str, side: Side, energy: i64, price: i64) -> Order {
    let participant = participant.to_owned();
    Order {
        order_id,
        participant,
        side,
        energy_milliwh: energy,
        price_micro_per_kwh: price,
    }
}

fn bid(order_id: u64, energy: i64, price: i64) -> Order {
    order(order_id, &format!("p{order_id}"), Side::Bid, energy, price)
}

fn offer(order_id: u64, energy: i64, price: i64) -> Order {
    order(
        order_id,
        &format!("p{order_id}"),
        Side::Offer,
        energy,
        price,
    )
}

fn clear(orders: &[Order]) -> Clearing {
    let rules = MarketRules::new(RULES.0, RULES.1).unwrap();
    clear_pay_as_clear(orders, rules).unwrap()
}

fn fills(clearing: &Clearing) -> Vec<(u64, i64)> {
    clearing
        .trades
        .iter()
        .map(|trade| (trade.order_id, trade.energy.milliwh()))
        .collect()
}

fn price(clearing: &Clearing) -> Option<i64> {
    clearing.price.map(|price| price.micro_per_kwh())
}

#[test]
fn no_orders_clear_to_nothing() {
    let clearing = clear(&[]);
    assert_eq!(
        (
            price(&clearing),
            clearing.volume.milliwh(),
            clearing.welfare_pico
        ),
        (None, 0, 0)
    );
}

#[test]
fn orders_that_do_not_meet_stay_as_residuals() {
    let clearing = clear(&[bid(1, 5_000, 1_000), offer(2, 7_000, 2_000)]);
    assert_eq!(price(&clearing), None);
    let left: Vec<_> = clearing
        .residuals
        .iter()
        .map(|r| (r.order_id, r.energy.milliwh()))
        .collect();
    assert_eq!(left, [(1, 5_000), (2, 7_000)]);
}

#[test]
fn the_marginal_order_is_filled_in_part_and_sets_the_price() {
    let clearing = clear(&[
        bid(1, 10_000, 9_000),
        offer(2, 4_000, 2_000),
        offer(3, 9_000, 5_000),
    ]);
    assert_eq!(fills(&clearing), [(1, 10_000), (2, 4_000), (3, 6_000)]);
    assert_eq!(price(&clearing), Some(5_000));
    assert_eq!(clearing.residuals[0].energy.milliwh(), 3_000);
}

#[test]
fn a_gap_between_the_last_orders_is_split_in_the_middle_and_floored_to_a_tick() {
    let met = [bid(1, 1_000, 8_000), offer(2, 1_000, 3_000)];
    assert_eq!(price(&clear(&met)), Some(5_000));
    let below_zero = [bid(1, 1_000, -3_000), offer(2, 1_000, -8_000)];
    assert_eq!(price(&clear(&below_zero)), Some(-6_000));
}

#[test]
fn orders_left_over_narrow_the_price() {
    let clearing = clear(&[
        bid(1, 1_000, 10_000),
        offer(2, 1_000, 2_000),
        bid(3, 1_000, 7_000),
        offer(4, 1_000, 9_000),
    ]);
    assert_eq!(price(&clearing), Some(8_000));
}

#[test]
fn equal_prices_fill_in_arrival_order() {
    let clearing = clear(&[
        offer(9, 1_000, 4_000),
        offer(3, 1_000, 4_000),
        bid(5, 1_000, 4_000),
    ]);
    assert_eq!(fills(&clearing), [(3, 1_000), (5, 1_000)]);
}

fn with(ties: Ties, price: PriceRule) -> AuctionRules {
    AuctionRules {
        market: MarketRules::new(RULES.0, RULES.1).unwrap(),
        ties,
        price,
    }
}

#[test]
fn equal_prices_share_pro_rata_and_a_seed_draws_the_lot_that_is_over() {
    let orders = [
        offer(1, 3_000, 4_000),
        offer(2, 3_000, 4_000),
        offer(3, 6_000, 4_000),
        bid(4, 7_000, 4_000),
    ];
    let shares = |seed| {
        let rules = with(Ties::ProRata { seed }, PriceRule::Middle);
        fills(&clear_pay_as_clear(&orders, rules).unwrap())
    };
    // 7 lots for 3, 3 and 6 of 12 are 1.75, 1.75 and 3.5: both remainders of 0.75 get a lot.
    assert_eq!(shares(1), [(1, 2_000), (2, 2_000), (3, 3_000), (4, 7_000)]);
    let orders = [
        offer(1, 1_000, 4_000),
        offer(2, 1_000, 4_000),
        bid(3, 1_000, 4_000),
    ];
    let winner = |seed| {
        let rules = with(Ties::ProRata { seed }, PriceRule::Middle);
        fills(&clear_pay_as_clear(&orders, rules).unwrap())[0].0
    };
    let firsts = (0..1_000).filter(|&seed| winner(seed) == 1).count();
    assert!((450..550).contains(&firsts), "{firsts} of 1000 draws");
}

#[test]
fn the_price_rule_chooses_within_the_interval() {
    let orders = [bid(1, 1_000, 8_000), offer(2, 1_000, 3_000)];
    let at = |rule| {
        let rules = with(Ties::Time, rule);
        price(&clear_pay_as_clear(&orders, rules).unwrap())
    };
    assert_eq!(at(PriceRule::Lowest), Some(3_000));
    assert_eq!(at(PriceRule::Middle), Some(5_000));
    assert_eq!(at(PriceRule::Highest), Some(8_000));
}

#[test]
fn pay_as_bid_pairs_in_merit_order_and_pays_the_bid() {
    let orders = [
        bid(1, 3_000, 9_000),
        bid(2, 2_000, 6_000),
        offer(3, 2_000, 1_000),
        offer(4, 4_000, 5_000),
    ];
    let clearing = clear_pay_as_bid(&orders, with(Ties::Time, PriceRule::Middle)).unwrap();
    let pairs: Vec<_> = clearing
        .trades
        .chunks(2)
        .map(|pair| {
            let (bid, offer) = (&pair[0], &pair[1]);
            let terms = (bid.energy.milliwh(), offer.price.micro_per_kwh());
            (bid.order_id, offer.order_id, terms)
        })
        .collect();
    let expected = [
        (1, 3, (2_000, 9_000)),
        (1, 4, (1_000, 9_000)),
        (2, 4, (2_000, 6_000)),
    ];
    assert_eq!(pairs, expected);
    assert_eq!(price(&clearing), None, "there is no one price");
    assert_eq!(clearing.welfare_pico, 22_000_000);
}

#[test]
fn columns_that_do_not_fit_are_an_error() {
    let columns = |participant: &[u32]| {
        let orders = OrderColumns {
            order_id: &[1, 2],
            participant,
            is_bid: &[true, false],
            energy_milliwh: &[1_000, 1_000],
            price_micro_per_kwh: &[2_000, 2_000],
        };
        pay_as_clear(&orders, with(Ties::Time, PriceRule::Middle))
    };
    assert_eq!(columns(&[0, 1]).unwrap().filled_milliwh, [1_000, 1_000]);
    assert_eq!(columns(&[0]).unwrap_err().code(), "market.column_length");
    assert_eq!(
        columns(&[0, 1_000_000]).unwrap_err().code(),
        "market.participant_bound"
    );
}

#[test]
fn negative_prices_clear() {
    let clearing = clear(&[bid(1, 2_000, -1_000), offer(2, 2_000, -1_000)]);
    assert_eq!(price(&clearing), Some(-1_000));
    assert_eq!(clearing.volume.milliwh(), 2_000);
}

#[test]
fn each_rule_refuses_its_order_in_the_order_of_the_enum() {
    let orders = [
        order(1, "a", Side::Bid, -1, i64::MAX),
        order(1, "b", Side::Bid, 1_000, 1_000),
        order(2, "c", Side::Bid, 0, i64::MAX),
        order(3, "d", Side::Bid, 1_000_000_000_000_001, i64::MAX),
        order(4, "e", Side::Bid, 1_001, i64::MAX),
        order(5, "f", Side::Bid, 1_000, 1_000_000_001),
        order(6, "g", Side::Bid, 1_000, 1_001),
        order(7, "h", Side::Offer, 1_000, 5_000),
        order(8, "h", Side::Bid, 1_000, 5_000),
        order(9, "h", Side::Bid, 1_000, 4_000),
    ];
    let clearing = clear(&orders);
    let refused: Vec<_> = clearing
        .rejections
        .iter()
        .map(|r| (r.order_id, r.reason.code()))
        .collect();
    assert_eq!(
        refused,
        [
            (1, "market.order_id_repeated"),
            (1, "market.order_id_repeated"),
            (2, "market.energy_not_positive"),
            (3, "market.energy_bound"),
            (4, "market.lot"),
            (5, "market.price_bound"),
            (6, "market.price_off_tick"),
            (8, "market.self_cross"),
        ]
    );
    assert_eq!(
        clearing.rejections[6].reason.to_string(),
        "price 1001 micro/kWh is not a multiple of tick 1000 micro/kWh"
    );
}

#[test]
fn a_later_offer_that_meets_the_participants_own_bid_is_refused() {
    let clearing = clear(&[
        order(1, "h", Side::Bid, 1_000, 3_000),
        order(2, "h", Side::Bid, 1_000, 6_000),
        order(3, "h", Side::Offer, 1_000, 6_000),
    ]);
    assert_eq!(clearing.rejections[0].reason.code(), "market.self_cross");
    assert!(
        clearing.rejections[0]
            .reason
            .to_string()
            .ends_with("own order 2")
    );
}

#[test]
fn rules_without_a_step_are_no_rules() {
    assert_eq!(
        MarketRules::new(0, 1),
        Err(MarketError::Lot { lot_milliwh: 0 })
    );
    assert_eq!(
        MarketRules::new(1, -1),
        Err(MarketError::Tick {
            tick_micro_per_kwh: -1
        })
    );
    assert_eq!(
        MarketRules::new(1, i64::MAX).unwrap_err().code(),
        "market.rules_tick"
    );
}

#[test]
fn a_volume_beyond_the_bound_is_an_error_and_never_wraps() {
    let rules = MarketRules::new(1_000, 1_000).unwrap();
    let most = 1_000_000_000_000_000;
    let orders = [
        bid(1, most, 1_000),
        bid(2, most, 1_000),
        offer(3, most, 0),
        offer(4, most, 0),
    ];
    assert_eq!(
        clear_pay_as_clear(&orders, rules).unwrap_err().code(),
        "market.volume_bound"
    );
}

/// The workload E1: a linear congruential generator, even orders bid and odd orders offer. The
/// optima were measured once by exhaustive merit order in another implementation, in kWh and cents.
#[test]
fn the_published_workload_reaches_its_known_optimum() {
    let known = [
        (10, 98, 793),
        (100, 1_582, 19_159),
        (1_000, 15_627, 191_352),
        (4_000, 61_695, 785_237),
        (8_000, 126_164, 1_594_105),
        (20_000, 315_268, 4_015_128),
        (100_000, 1_569_203, 20_175_608),
    ];
    let rules = MarketRules::new(10_000, 10_000).unwrap();
    for (n, hundredths_kwh, hundredths_cent) in known {
        let mut state: u64 = 42;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005);
            state = state.wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as i64
        };
        let orders: Vec<Order> = (0..n)
            .map(|i| {
                let (side, base) = if i % 2 == 0 {
                    (Side::Bid, 10)
                } else {
                    (Side::Offer, 5)
                };
                let rate_cent = base + next() % 21;
                let energy = (next() % 100 + 1) * 10_000;
                order(i, &format!("p{i}"), side, energy, rate_cent * 10_000)
            })
            .collect();
        let clearing = clear_pay_as_clear(&orders, rules).unwrap();
        assert_eq!(
            clearing.volume.milliwh(),
            hundredths_kwh * 10_000,
            "volume of {n}"
        );
        // A hundredth of a cent is 100 millionths, which is 10^8 of the welfare's unit.
        assert_eq!(
            clearing.welfare_pico,
            hundredths_cent * 100_000_000,
            "welfare of {n}"
        );
    }
}
