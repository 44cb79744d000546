//! The flow of largest welfare, by lowering the dual over integer prices, coarse prices first.
//!
//! For prices `p` let `g(p)` be the sum of what every zone gains by selling at `p` what it likes to,
//! and of what every link gains by carrying between its ends. `g` is convex on the integers in the
//! sense of Murota (L-natural convex); it is smallest at prices at which all zones and links together
//! want a flow that balances, and that flow has the largest welfare. While there is none, either
//! some set of zones has a surplus that its links cannot take away (its price falls by 1) or one has a
//! deficit that they cannot fill (its price rises by 1); a maximum flow finds the set in which that
//! helps most. To take few steps, the costs are first divided by 2^k, then by 2^(k-1), and so on:
//! each halving leaves the doubled prices within about the number of nodes of the next optimum.
//!
//! # Source
//! K. Murota, "Discrete Convex Analysis," SIAM, 2003, sections 10.3 (steepest descent of L-natural
//! convex functions, proximity scaling) and 9.1 (the duality with flows of convex cost).

use super::curve::{Curve, Weights};
use super::max_flow::MaxFlow;

/// A place where flow balances: a zone's orders, or only its links.
pub(super) struct Node<'a> {
    /// None where nothing is ordered.
    pub(super) curve: Option<Curve<'a>>,
}

/// A way between two nodes: a flow from `-backward` to `forward`, at a cost each way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arc {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) forward_milliwh_max: i128,
    pub(super) backward_milliwh_max: i128,
    pub(super) forward_cost: i128,
    pub(super) backward_cost: i128,
}

impl Arc {
    /// Returns the least and the most it wants to carry when `to` is dearer than `from` by `rise`.
    fn wanted(&self, rise: i128, scale: u32) -> (i128, i128) {
        let there = rise - (self.forward_cost >> scale);
        let back = -rise - (self.backward_cost >> scale);
        let low = match (there > 0, back >= 0) {
            (true, _) => self.forward_milliwh_max,
            (_, true) => -self.backward_milliwh_max,
            _ => 0,
        };
        let high = match (back > 0, there >= 0) {
            (true, _) => -self.backward_milliwh_max,
            (_, true) => self.forward_milliwh_max,
            _ => 0,
        };
        (low, high)
    }
}

/// Returns the net flow of each arc. [mWh]
pub(super) fn best_flow(nodes: &[Node<'_>], arcs: &[Arc], weights: Weights) -> Vec<i128> {
    let mut search = Search::new(nodes, arcs, weights);
    let scales = i128::BITS - weights.bound().leading_zeros();
    for scale in (0..=scales).rev() {
        for price in &mut search.prices {
            *price *= 2;
        }
        search.descend(scale);
    }
    search.flows
}

struct Search<'a> {
    nodes: &'a [Node<'a>],
    arcs: &'a [Arc],
    weights: Weights,
    prices: Vec<i128>,
    /// Of the last balance that was found. [mWh]
    flows: Vec<i128>,
    flow: MaxFlow,
    /// Arcs of `flow`: from the source to a node, from a node to the sink, along a way.
    given: Vec<usize>,
    taken: Vec<usize>,
    carried: Vec<usize>,
    source: usize,
    sink: usize,
}

/// Nodes whose price moves together.
enum Balance {
    Surplus(Vec<bool>),
    Deficit(Vec<bool>),
    Found,
}

impl<'a> Search<'a> {
    fn new(nodes: &'a [Node<'a>], arcs: &'a [Arc], weights: Weights) -> Self {
        let (source, sink) = (nodes.len(), nodes.len() + 1);
        let mut flow = MaxFlow::new(nodes.len() + 2);
        Self {
            given: (0..nodes.len())
                .map(|node| flow.arc(source, node))
                .collect(),
            taken: (0..nodes.len()).map(|node| flow.arc(node, sink)).collect(),
            carried: arcs.iter().map(|arc| flow.arc(arc.from, arc.to)).collect(),
            prices: vec![0; nodes.len()],
            flows: vec![0; arcs.len()],
            nodes,
            arcs,
            weights,
            flow,
            source,
            sink,
        }
    }

    /// Lowers the dual of the costs divided by 2^`scale`, until nothing lowers it.
    fn descend(&mut self, scale: u32) {
        loop {
            let (nodes, step) = match self.balance(scale) {
                Balance::Surplus(nodes) => (nodes, -1),
                Balance::Deficit(nodes) => (nodes, 1),
                Balance::Found => return,
            };
            for (price, moves) in self.prices.iter_mut().zip(nodes) {
                *price += if moves { step } else { 0 };
            }
        }
    }

    /// Looks for a flow that everybody wants at the present prices.
    fn balance(&mut self, scale: u32) -> Balance {
        let mut excess: Vec<i128> = vec![0; self.nodes.len()];
        let mut more: Vec<i128> = vec![0; self.nodes.len()];
        for (node, at) in self.nodes.iter().enumerate() {
            if let Some(curve) = &at.curve {
                let price = self.prices[node];
                excess[node] = curve.supply_below(price << scale, self.weights);
                more[node] = curve.supply_below((price + 1) << scale, self.weights) - excess[node];
            }
        }
        for (number, arc) in self.arcs.iter().enumerate() {
            let rise = self.prices[arc.to] - self.prices[arc.from];
            let (low, high) = arc.wanted(rise, scale);
            self.flows[number] = low;
            excess[arc.from] -= low;
            excess[arc.to] += low;
            self.flow.set(self.carried[number], high - low);
        }
        for (node, &excess) in excess.iter().enumerate() {
            self.flow.set(self.given[node], excess.max(0));
            self.flow.set(self.taken[node], (-excess).max(0));
        }
        // What must leave goes first; it stays routed while what may be given fills the deficits.
        self.flow.run(self.source, self.sink);
        if self.given.iter().any(|&arc| self.flow.room(arc) > 0) {
            return Balance::Surplus(self.flow.reached(self.source));
        }
        for (node, &more) in more.iter().enumerate() {
            self.flow.widen(self.given[node], more);
        }
        self.flow.run(self.source, self.sink);
        if self.taken.iter().any(|&arc| self.flow.room(arc) > 0) {
            return Balance::Deficit(self.flow.reaching(self.sink));
        }
        for (number, &arc) in self.carried.iter().enumerate() {
            self.flows[number] += self.flow.flow(arc);
        }
        Balance::Found
    }
}
