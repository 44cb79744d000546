//! Random markets with zones, and a clearing of them that shares no code with the crate.

use gridrig_market::{Link, Order, Zone, ZoneNetwork};
use gridrig_quantity::Side;
use proptest::prelude::*;

pub const LOT: i64 = 10;
pub const TICK: i64 = 5;

/// A market with zones, every order its own participant's.
#[derive(Debug, Clone)]
pub struct Market {
    pub orders: Vec<Order>,
    pub zone: Vec<u32>,
    pub network: ZoneNetwork,
}

/// Markets with few prices and small limits, so that ties, full links and loops abound.
pub fn markets() -> impl Strategy<Value = Market> {
    (1u32..=6).prop_flat_map(|zones| {
        let limit = || prop::option::weighted(0.3, (0i64..8).prop_map(|lots| lots * LOT));
        let zone = (limit(), limit());
        let link = (0..zones, 0..zones, 0i64..6, 0i64..6, 0i64..4, 0i64..4);
        let order = (0..zones, any::<bool>(), 1i64..5, -4i64..9);
        (
            prop::collection::vec(zone, zones as usize),
            prop::collection::vec(link, 0..12),
            prop::collection::vec(order, 0..24),
        )
            .prop_map(|(zones, links, orders)| market(&zones, &links, &orders))
    })
}

type LinkDrawn = (u32, u32, i64, i64, i64, i64);

fn market(
    zones: &[(Option<i64>, Option<i64>)],
    links: &[LinkDrawn],
    orders: &[(u32, bool, i64, i64)],
) -> Market {
    let zones = zones
        .iter()
        .map(|&(export_milliwh_max, import_milliwh_max)| Zone {
            export_milliwh_max,
            import_milliwh_max,
        })
        .collect();
    let links = links
        .iter()
        .filter(|link| link.0 != link.1)
        .map(|&(from, to, forward, backward, fee, fee_back)| Link {
            from,
            to,
            // Not whole lots: what is over a lot cannot be used.
            forward_milliwh_max: forward * LOT + 3,
            backward_milliwh_max: backward * LOT,
            forward_fee_micro_per_kwh: fee * TICK,
            backward_fee_micro_per_kwh: fee_back * TICK,
        })
        .collect();
    Market {
        zone: orders.iter().map(|order| order.0).collect(),
        orders: orders
            .iter()
            .enumerate()
            .map(|(id, &(_, buys, lots, ticks))| Order {
                order_id: id as u64 * 3,
                participant: format!("p{id}"),
                side: if buys { Side::Bid } else { Side::Offer },
                energy_milliwh: lots * LOT,
                price_micro_per_kwh: ticks * TICK,
            })
            .collect(),
        network: ZoneNetwork::new(zones, links).expect("the draw is within bounds"),
    }
}

/// Price, energy, flow and arrival of a change, compared in this order: less is better.
type Cost = [i64; 4];

struct Edge {
    tail: usize,
    head: usize,
    lots: i64,
    cost: Cost,
}

/// What is best, by cancelling every cycle of changes that gains, one lot at a time: the sum of
/// price x lots saved, the lots traded, the lots that links carry, and the sum of lots x arrival.
pub fn best_by_cancelling_cycles(market: &Market) -> Cost {
    let zones = market.network.zones().len();
    // Node 0 is where orders begin and end; zone z is 1 + 2z, its outside 2 + 2z.
    let mut edges: Vec<Edge> = Vec::new();
    let mut both = |tail, head, milliwh: i64, cost: Cost| {
        let back = cost.map(|part| -part);
        let lots = milliwh / LOT;
        edges.push(Edge {
            tail,
            head,
            lots,
            cost,
        });
        edges.push(Edge {
            tail: head,
            head: tail,
            lots: 0,
            cost: back,
        });
    };
    for ((order, zone), place) in market.orders.iter().zip(&market.zone).zip(0..) {
        let (price, at) = (order.price_micro_per_kwh, 1 + 2 * *zone as usize);
        match order.side {
            Side::Offer => both(0, at, order.energy_milliwh, [price, 0, 0, place]),
            Side::Bid => both(at, 0, order.energy_milliwh, [-price, -1, 0, place]),
        }
    }
    for (z, zone) in market.network.zones().iter().enumerate() {
        let open = 1_000_000;
        let (inside, outside) = (1 + 2 * z, 2 + 2 * z);
        both(
            inside,
            outside,
            zone.export_milliwh_max.unwrap_or(open),
            [0; 4],
        );
        both(
            outside,
            inside,
            zone.import_milliwh_max.unwrap_or(open),
            [0; 4],
        );
    }
    for link in market.network.links() {
        let (from, to) = (2 + 2 * link.from as usize, 2 + 2 * link.to as usize);
        both(
            from,
            to,
            link.forward_milliwh_max,
            [link.forward_fee_micro_per_kwh, 0, 1, 0],
        );
        both(
            to,
            from,
            link.backward_milliwh_max,
            [link.backward_fee_micro_per_kwh, 0, 1, 0],
        );
    }
    let mut total = [0; 4];
    while let Some(cycle) = gaining_cycle(&edges, 1 + 2 * zones) {
        for place in cycle {
            edges[place].lots -= 1;
            edges[place ^ 1].lots += 1;
            total = plus(total, edges[place].cost);
        }
    }
    [-total[0], -total[1], total[2], total[3]]
}

fn plus(a: Cost, b: Cost) -> Cost {
    std::array::from_fn(|part| a[part] + b[part])
}

/// Finds a cycle of negative cost among the edges with room (Bellman and Ford).
fn gaining_cycle(edges: &[Edge], nodes: usize) -> Option<Vec<usize>> {
    let mut cost: Vec<Cost> = vec![[0; 4]; nodes];
    let mut by: Vec<Option<usize>> = vec![None; nodes];
    let mut last = None;
    for _ in 0..nodes {
        last = None;
        for (place, edge) in edges.iter().enumerate().filter(|(_, edge)| edge.lots > 0) {
            let less = plus(cost[edge.tail], edge.cost);
            if less < cost[edge.head] {
                cost[edge.head] = less;
                by[edge.head] = Some(place);
                last = Some(edge.head);
            }
        }
        last?;
    }
    let mut node = last?;
    for _ in 0..nodes {
        node = edges[by[node]?].tail;
    }
    let (mut cycle, begin) = (Vec::new(), node);
    loop {
        let place = by[node]?;
        cycle.push(place);
        node = edges[place].tail;
        if node == begin {
            return Some(cycle);
        }
    }
}
