//! Scenario tables of the continuous book: one line per command, its outcome after the bar.

mod scenario;

use gridrig_market::book::Refusal;
use scenario::{Table, refusals_of};

#[test]
fn equal_prices_fill_in_arrival_order_and_better_ones_first() {
    Table::new().runs(
        "
        1 P1 bid 5 @ 30              | accepted 1
        2 P2 bid 5 @ 30              | accepted 2
        3 P1 bid 5 @ 35              | accepted 3
        4 P3 offer 12 @ 30           | accepted 4; 4 takes 5 of 3 @ 35; 4 takes 5 of 1 @ 30; 4 takes 2 of 2 @ 30
        depth                        | bids 3 @ 30 (1); offers none
        5 P3 offer 9 @ 25            | accepted 5; 5 takes 3 of 2 @ 30
        depth                        | bids none; offers 6 @ 25 (1)
        ",
    );
}

#[test]
fn negative_prices_are_prices() {
    Table::new().runs(
        "
        1 P1 offer 5 @ -30           | accepted 1
        2 P2 bid 2 @ -35             | accepted 2
        depth                        | bids 2 @ -35 (1); offers 5 @ -30 (1)
        3 P2 bid 4 @ -30             | accepted 3; 3 takes 4 of 1 @ -30
        4 P2 bid 4 @ 0               | accepted 4; 4 takes 1 of 1 @ -30
        depth                        | bids 3 @ 0 (1), 2 @ -35 (1); offers none
        ",
    );
}

#[test]
fn what_may_not_rest_is_cancelled() {
    Table::new().runs(
        "
        1 P1 offer 5 @ 30            | accepted 1
        2 P2 bid 9 @ 30 ioc          | accepted 2; 2 takes 5 of 1 @ 30; cancelled 2 with 4 (unfilled)
        3 P2 bid 9 @ 30 ioc          | accepted 3; cancelled 3 with 9 (unfilled)
        4 P1 offer 5 @ 30            | accepted 4
        5 P1 offer 5 @ 60            | accepted 5
        collar 0 -50..50             | collar 0 -50..50
        6 P2 bid 9 market            | accepted 6; 6 takes 5 of 4 @ 30; cancelled 6 with 4 (unfilled)
        7 P2 offer 1 market          | accepted 7; cancelled 7 with 1 (unfilled)
        8 P2 bid 1 @ -50             | accepted 8
        9 P1 offer 1 market          | accepted 9; 9 takes 1 of 8 @ -50
        ",
    );
}

#[test]
fn fill_or_kill_trades_whole_or_changes_nothing() {
    Table::new().runs(
        "
        1 P1 offer 5 @ 30            | accepted 1
        2 P1 offer 5 @ 35            | accepted 2
        3 P2 bid 10 @ 30 fok         | refused market.fill_or_kill_unfilled
        3 P2 bid 11 @ 35 fok         | refused market.fill_or_kill_unfilled
        3 P2 bid 7 @ 35 fok          | accepted 3; 3 takes 5 of 1 @ 30; 3 takes 2 of 2 @ 35
        4 P2 bid 4 market-fok        | refused market.fill_or_kill_unfilled
        4 P2 bid 3 market-fok        | accepted 4; 4 takes 3 of 2 @ 35
        ",
    );
}

#[test]
fn fill_or_kill_counts_what_others_offer() {
    let table = "
        1 P1 offer 5 @ 30            | accepted 1
        2 P2 offer 5 @ 30            | accepted 2
        3 P3 offer 5 @ 30            | accepted 3
        ";
    Table::new().policy("cancel-resting").runs(table).runs(
        "
        4 P2 bid 11 @ 30 fok         | refused market.fill_or_kill_unfilled
        4 P2 bid 10 @ 30 fok         | accepted 4; 4 takes 5 of 1 @ 30; cancelled 2 with 5 (self-match); 4 takes 5 of 3 @ 30
        ",
    );
    for stops in ["cancel-incoming", "cancel-both", "decrement"] {
        Table::new().policy(stops).runs(table).runs(
            "
        4 P2 bid 6 @ 30 fok          | refused market.fill_or_kill_unfilled
        4 P2 bid 5 @ 30 fok          | accepted 4; 4 takes 5 of 1 @ 30
        ",
        );
    }
}

#[test]
fn post_only_never_takes() {
    Table::new().runs(
        "
        1 P1 offer 5 @ 30            | accepted 1
        2 P2 bid 5 @ 30 post-only    | refused market.post_only_crosses
        2 P2 bid 5 @ 25 post-only    | accepted 2
        amend 2 P2 5 @ 30            | refused market.post_only_crosses
        amend 2 P2 5 @ 29            | refused market.price_off_tick
        amend 2 P2 6 @ 20            | amended 2 to 6 @ 20, back
        3 P1 offer 2 @ 20            | accepted 3; 3 takes 2 of 2 @ 20
        4 P1 bid 5 @ 30 post-only    | accepted 4; cancelled 1 with 5 (self-match)
        depth                        | bids 5 @ 30 (1), 4 @ 20 (1); offers none
        ",
    );
}

#[test]
fn post_only_is_decided_on_foreign_orders_before_own_ones_are_touched() {
    Table::new().policy("cancel-resting").runs(
        "
        1 P1 offer 5 @ 30            | accepted 1
        2 P2 offer 5 @ 35            | accepted 2
        3 P1 bid 5 @ 35 post-only    | refused market.post_only_crosses
        depth                        | bids none; offers 5 @ 30 (1), 5 @ 35 (1)
        ",
    );
}

#[test]
fn an_amend_keeps_priority_only_if_it_asks_for_less() {
    Table::new().runs(
        "
        1 P1 bid 5 @ 30              | accepted 1
        2 P2 bid 5 @ 30              | accepted 2
        amend 1 P1 4 @ 30            | amended 1 to 4 @ 30, kept
        amend 1 P1 4 @ 30            | amended 1 to 4 @ 30, kept
        3 P3 offer 1 @ 30            | accepted 3; 3 takes 1 of 1 @ 30
        amend 1 P1 5 @ 30            | amended 1 to 5 @ 30, back
        depth                        | bids 9 @ 30 (2); offers none
        4 P3 offer 6 @ 30            | accepted 4; 4 takes 5 of 2 @ 30; 4 takes 1 of 1 @ 30
        amend 1 P1 2 @ 35            | cancelled 1 with 3 (amended-to-filled)
        5 P1 bid 5 @ 30              | accepted 5
        amend 5 P1 0 @ 30            | cancelled 5 with 5 (amended-to-filled)
        ",
    );
}

#[test]
fn an_amend_to_what_is_filled_cancels_wherever_its_new_price_is() {
    Table::tiny().runs(
        "
        1 P1 offer 5 @ 30            | accepted 1
        2 P2 bid 5 @ 20 post-only    | accepted 2
        3 P1 offer 2 @ 20            | accepted 3; 3 takes 2 of 2 @ 20
        amend 2 P2 3 @ 30            | refused market.post_only_crosses
        amend 2 P2 2 @ 30            | cancelled 2 with 3 (amended-to-filled)
        4 P2 bid 5 @ 20              | accepted 4
        amend 4 P2 5 @ -500          | refused market.price_blocks_full
        amend 4 P2 0 @ -500          | cancelled 4 with 5 (amended-to-filled)
        ",
    );
}

#[test]
fn an_amend_asks_for_the_price_block_that_it_needs() {
    Table::tiny().runs(
        "
        1 P1 offer 5 @ 300           | accepted 1
        2 P2 bid 5 @ 20              | accepted 2
        3 P2 bid 5 @ 20              | accepted 3
        amend 3 P2 5 @ -500          | refused market.price_blocks_full
        amend 3 P2 5 @ 25            | amended 3 to 5 @ 25, back
        amend 2 P2 5 @ 900           | refused market.price_blocks_full
        depth                        | bids 5 @ 25 (1), 5 @ 20 (1); offers 5 @ 300 (1)
        ",
    );
}

#[test]
fn an_amend_that_crosses_matches_as_incoming() {
    Table::new().runs(
        "
        1 P1 offer 5 @ 30            | accepted 1
        2 P2 bid 8 @ 25              | accepted 2
        amend 2 P2 8 @ 30            | amended 2 to 8 @ 30, back; 2 takes 5 of 1 @ 30
        depth                        | bids 3 @ 30 (1); offers none
        3 P1 offer 2 @ 40            | accepted 3
        amend 2 P2 7 @ 40            | amended 2 to 7 @ 40, back; 2 takes 2 of 3 @ 40
        depth                        | bids none; offers none
        cancel 2 P2                  | refused market.order_unknown
        ",
    );
}

#[test]
fn self_match_policies_differ() {
    let table = "
        1 P1 offer 5 @ 30            | accepted 1
        2 P2 offer 5 @ 30            | accepted 2
        ";
    Table::new().policy("cancel-resting").runs(table).runs(
        "
        3 P1 bid 8 @ 30              | accepted 3; cancelled 1 with 5 (self-match); 3 takes 5 of 2 @ 30
        depth                        | bids 3 @ 30 (1); offers none
        ",
    );
    Table::new().policy("cancel-incoming").runs(table).runs(
        "
        3 P2 bid 8 @ 30              | accepted 3; 3 takes 5 of 1 @ 30; cancelled 3 with 3 (self-match)
        depth                        | bids none; offers 5 @ 30 (1)
        ",
    );
    Table::new().policy("cancel-both").runs(table).runs(
        "
        3 P2 bid 8 @ 30              | accepted 3; 3 takes 5 of 1 @ 30; cancelled 2 with 5 (self-match); cancelled 3 with 3 (self-match)
        depth                        | bids none; offers none
        ",
    );
}

#[test]
fn decrement_takes_the_smaller_energy_from_both() {
    let decrements = || Table::new().policy("decrement");
    let table = "
        1 P1 offer 5 @ 30            | accepted 1
        2 P2 offer 5 @ 30            | accepted 2
        ";
    decrements().runs(table).runs(
        "
        3 P1 bid 8 @ 30              | accepted 3; cancelled 1 with 5 (self-match); reduced 3 by 5; 3 takes 3 of 2 @ 30
        depth                        | bids none; offers 2 @ 30 (1)
        ",
    );
    decrements().runs(table).runs(
        "
        3 P1 bid 3 @ 30              | accepted 3; reduced 1 by 3; cancelled 3 with 3 (self-match)
        depth                        | bids none; offers 7 @ 30 (2)
        4 P1 bid 2 @ 30              | accepted 4; cancelled 1 with 2 (self-match); cancelled 4 with 2 (self-match)
        depth                        | bids none; offers 5 @ 30 (1)
        ",
    );
}

#[test]
fn a_halted_book_only_lets_go() {
    Table::new().runs(
        "
        1 P1 offer 5 @ 30            | accepted 1
        2 P1 offer 5 @ 35            | accepted 2
        3 P2 bid 5 @ 25              | accepted 3
        halt 0                       | halted 0
        4 P2 bid 5 @ 30              | refused market.book_halted
        amend 3 P2 4 @ 25            | refused market.book_halted
        cancel 2 P1                  | cancelled 2 with 5 (requested)
        cancel-all P2                | cancelled 3 with 5 (all-requested); all of P2 cancelled (1)
        cancel-all P2                | all of P2 cancelled (0)
        resume 0                     | resumed 0
        4 P2 bid 5 @ 30              | accepted 4; 4 takes 5 of 1 @ 30
        ",
    );
}

#[test]
fn gate_closure_expires_what_rests_by_priority() {
    Table::new().runs(
        "
        1 P1 offer 5 @ 35            | accepted 1
        2 P1 offer 5 @ 30            | accepted 2
        3 P2 bid 5 @ 25              | accepted 3
        4 P2 bid 5 @ 25              | accepted 4
        halt 0                       | halted 0
        close 0                      | expired 3 with 5; expired 4 with 5; expired 2 with 5; expired 1 with 5; gate of 0 closed (4)
        cancel 1 P1                  | refused market.order_unknown
        5 P1 offer 5 @ 35            | refused market.gate_closed
        open 0                       | opened 0
        5 P1 offer 5 @ 35            | accepted 5
        ",
    );
}

#[test]
fn what_has_traded_counts_against_no_limit() {
    Table::new().runs(
        "
        limit P1 2 orders 10         | set P1
        1 P1 offer 8 @ 30            | accepted 1
        2 P1 offer 3 @ 30            | refused market.participant_energy_limit
        2 P1 offer 3 @ 30 ioc        | accepted 2; cancelled 2 with 3 (unfilled)
        3 P2 bid 6 @ 30              | accepted 3; 3 takes 6 of 1 @ 30
        4 P1 offer 7 @ 40            | accepted 4
        amend 4 P1 8 @ 40            | amended 4 to 8 @ 40, back
        amend 4 P1 9 @ 40            | refused market.participant_energy_limit
        5 P1 offer 1 @ 40            | refused market.participant_orders_limit
        6 P2 bid 2 @ 30              | accepted 6; 6 takes 2 of 1 @ 30
        7 P1 offer 1 @ 40            | accepted 7
        ",
    );
}

#[test]
fn the_most_of_an_order_may_be_submitted_and_amended_to() {
    Table::new().runs(
        "
        1 P1 offer 1000 @ 30         | accepted 1
        2 P1 offer 1001 @ 30         | refused market.order_energy_limit
        2 P1 offer 999 @ 40          | accepted 2
        amend 2 P1 1001 @ 40         | refused market.order_energy_limit
        amend 2 P1 1000 @ 40         | amended 2 to 1000 @ 40, back
        ",
    );
}

#[test]
fn a_moved_collar_binds_prices_that_come_in() {
    Table::new().runs(
        "
        1 P1 offer 5 @ 90            | accepted 1
        collar 0 -11..52             | collar 0 -10..50
        2 P2 bid 5 @ 55              | refused market.price_collar
        amend 1 P1 4 @ 90            | amended 1 to 4 @ 90, kept
        amend 1 P1 4 @ 85            | refused market.price_collar
        amend 1 P1 4 @ 50            | amended 1 to 4 @ 50, back
        2 P2 bid 5 market            | accepted 2; 2 takes 4 of 1 @ 50; cancelled 2 with 1 (unfilled)
        ",
    );
}

#[test]
fn a_number_is_taken_once_and_for_all() {
    Table::new().runs(
        "
        7 P1 offer 5 @ 30            | accepted 7
        7 P2 offer 5 @ 30            | refused market.order_id_repeated
        6 P2 offer 5 @ 30            | refused market.order_id_repeated
        cancel 7 P1                  | cancelled 7 with 5 (requested)
        7 P1 offer 5 @ 30            | refused market.order_id_repeated
        8 P1 offer 5 @ 30 ioc        | accepted 8; cancelled 8 with 5 (unfilled)
        8 P1 offer 5 @ 30            | refused market.order_id_repeated
        ",
    );
}

#[test]
fn own_limits_are_asked_before_the_capacity_of_all() {
    Table::tiny().runs(
        "
        limit P1 2 orders 6          | set P1
        1 P1 bid 5 @ 30              | accepted 1
        2 P2 bid 5 @ 30              | accepted 2
        3 P2 bid 5 @ 30              | accepted 3
        4 P1 bid 2 @ 30              | refused market.participant_energy_limit
        4 P1 bid 1 @ 30              | refused market.orders_full
        ",
    );
}

/// One way to hit each refusal; where a line breaks two rules, the first in the enum is reported.
const EVERY_REFUSAL: &str = "
        1 P9 bid 0 @ 3 in 9          | refused market.book_unknown
        open 0                       | refused market.book_open
        1 P9 bid 0 @ 3               | refused market.participant_unknown
        collar 0 12..13              | refused market.limits_invalid
        0 P1 bid 0 @ 3               | refused market.order_id_repeated
        cancel 1 P1                  | refused market.order_unknown
        1 P1 bid 5 @ 30              | accepted 1
        amend 1 P2 -5 @ 3            | refused market.order_not_owned
        open 1                       | opened 1
        close 1                      | gate of 1 closed (0)
        2 P1 bid 0 @ 3 in 1          | refused market.gate_closed
        halt 0                       | halted 0
        2 P1 bid 0 @ 3               | refused market.book_halted
        resume 0                     | resumed 0
        resume 0                     | refused market.book_not_halted
        2 P1 bid 0 @ 3               | refused market.energy_not_positive
        2 P1 bid max @ 3             | refused market.energy_bound
        2 P1 bid 1.5 @ 3             | refused market.lot
        2 P1 bid 5000 @ 1000000005   | refused market.price_bound
        2 P1 bid 5000 @ 3            | refused market.price_off_tick
        2 P1 bid 5000 @ 5000         | refused market.price_collar
        limit P1 1 orders 6          | set P1
        2 P1 bid 5000 @ 30           | refused market.order_energy_limit
        2 P1 bid 5 @ 30              | refused market.participant_orders_limit
        limit P1 2 orders 6          | set P1
        2 P1 bid 5 @ 30              | refused market.participant_energy_limit
        2 P2 bid 5 @ 30              | accepted 2
        3 P2 bid 5 @ 30              | accepted 3
        4 P2 bid 5 @ 1000 post-only  | refused market.orders_full
        cancel 3 P2                  | cancelled 3 with 5 (requested)
        amend 2 P2 5 @ -900          | amended 2 to 5 @ -900, back
        4 P2 offer 5 @ -800 post-only | refused market.price_blocks_full
        amend 2 P2 5 @ 30            | amended 2 to 5 @ 30, back
        4 P2 offer 5 @ 30 post-only  | refused market.post_only_crosses
        4 P2 offer 9 @ 30 fok        | refused market.fill_or_kill_unfilled
        ";

#[test]
fn every_refusal_is_hit_once_in_the_order_of_the_checks() {
    Table::tiny().runs(EVERY_REFUSAL);
    let hit = refusals_of(EVERY_REFUSAL);
    let expected: Vec<&str> = Refusal::ALL.iter().map(|refusal| refusal.code()).collect();
    assert_eq!(hit, expected);
    assert!(Refusal::ALL.is_sorted());
}
