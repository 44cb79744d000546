//! The engine against the known answers of W1, W2 and W3, on which three other engines agree.

mod workloads;

use gridrig_market::book::{Command, Event, Exchange};
use workloads::{Moving, Tally, config, growing, open};

/// Known answers of a stream: what traded and how many orders were left.
#[derive(Debug, PartialEq, Eq)]
struct Known {
    trades: u64,
    volume: i64,
    notional: i64,
    resting: u32,
}

fn run_growing(orders: u64, books: u32) -> Known {
    let mut exchange = Exchange::new(config(books, orders as u32)).expect("within bounds");
    let mut tally = Tally::default();
    for book in 1..=books {
        exchange.apply(&open(book), &mut tally);
    }
    exchange.apply_all(&growing(orders, u64::from(books)), &mut tally);
    assert_eq!(tally.refused, 0);
    Known {
        trades: tally.trades,
        volume: tally.volume,
        notional: tally.notional,
        resting: exchange.orders_resting(),
    }
}

/// Runs W2 and returns the tally and how many commands of each kind there were.
fn run_moving(steps: usize) -> (Known, [usize; 4]) {
    let mut exchange = Exchange::new(config(1, 10_000)).expect("within bounds");
    let mut moving = Moving::new();
    let mut events = Vec::new();
    let mut tally = Tally::default();
    let mut kinds = [0; 4];
    exchange.apply(&open(1), &mut tally);
    for step in 0..steps + 1000 {
        let command = if step < 1000 {
            moving.rest()
        } else {
            let total = |order_id| {
                let order = exchange.order(order_id).expect("a live order");
                order.filled_milliwh + order.leaves_milliwh
            };
            moving.step(total)
        };
        kinds[match command {
            Command::Submit { kind, .. } if kind.rests() => 0,
            Command::Submit { .. } => 1,
            Command::Cancel { .. } => 2,
            _ => 3,
        }] += 1;
        events.clear();
        exchange.apply(&command, &mut events);
        for &event in &events {
            if let Event::Traded { maker_id, .. } = event {
                if exchange.order(maker_id).is_none() {
                    moving.remove(maker_id);
                }
            }
            gridrig_market::book::EventSink::push(&mut tally, event);
        }
    }
    assert_eq!(tally.refused, 0);
    let known = Known {
        trades: tally.trades,
        volume: tally.volume,
        notional: tally.notional,
        resting: exchange.orders_resting(),
    };
    (known, kinds)
}

#[test]
fn w1_gives_the_known_answers() {
    for (orders, trades, volume, notional, resting) in [
        (1_000, 458, 149_300, 281_701_100, 488),
        (10_000, 4_587, 1_396_900, 2_635_275_400, 4_921),
        (100_000, 45_868, 13_898_200, 26_218_641_500, 49_309),
    ] {
        let known = Known {
            trades,
            volume,
            notional,
            resting,
        };
        assert_eq!(run_growing(orders, 1), known, "{orders} orders");
    }
}

#[test]
#[ignore = "a million orders: run with --release"]
fn w1_of_a_million_gives_the_known_answers() {
    let known = Known {
        trades: 460_119,
        volume: 139_481_100,
        notional: 263_131_036_700,
        resting: 492_402,
    };
    assert_eq!(run_growing(1_000_000, 1), known);
}

#[test]
#[ignore = "a million orders: run with --release"]
fn w3_gives_the_known_answers() {
    let known = Known {
        trades: 449_009,
        volume: 136_532_100,
        notional: 257_568_816_500,
        resting: 504_788,
    };
    assert_eq!(run_growing(1_000_000, 1000), known);
}

#[test]
#[ignore = "three million commands: run with --release"]
fn w2_gives_the_known_answers() {
    let known = Known {
        trades: 162_006,
        volume: 494_607,
        notional: 4_946_044_659,
        resting: 3_436,
    };
    let kinds = [272_014, 90_041, 179_717, 2_459_228];
    assert_eq!(run_moving(3_000_000), (known, kinds));
}
