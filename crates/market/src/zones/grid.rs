//! The network as the flow sees it: limits of zones become ways of their own.

use gridrig_quantity::ENERGY_MILLIWH_MAX;

use super::curve::Weights;
use super::dual::{Arc, Node, best_flow};
use super::list::List;
use super::network::ZoneNetwork;
use super::prices::Way;

/// The network as nodes and arcs. A limited zone has a second node, where its links end; the way
/// between the two carries what it gives to all of them together.
pub(super) struct Grid {
    zones: usize,
    pub(super) nodes: usize,
    /// Links first, in their order, then the limits of zones.
    ways: Vec<Way>,
}

impl Grid {
    pub(super) fn of(network: &ZoneNetwork, lot_milliwh: i64) -> Self {
        let whole_lots = |milliwh: i64| i128::from(milliwh / lot_milliwh * lot_milliwh);
        let zones = network.zones().len();
        let mut nodes = zones;
        let mut outside: Vec<usize> = (0..zones).collect();
        let mut limits = Vec::new();
        for (number, zone) in network.zones().iter().enumerate() {
            if zone.export_milliwh_max.is_some() || zone.import_milliwh_max.is_some() {
                outside[number] = nodes;
                let limit = |most: Option<i64>| whole_lots(most.unwrap_or(ENERGY_MILLIWH_MAX));
                limits.push(Way {
                    from: number,
                    to: nodes,
                    forward_milliwh_max: limit(zone.export_milliwh_max),
                    backward_milliwh_max: limit(zone.import_milliwh_max),
                    forward_fee: 0,
                    backward_fee: 0,
                    flow_milliwh: 0,
                });
                nodes += 1;
            }
        }
        let mut ways: Vec<Way> = network
            .links()
            .iter()
            .map(|link| Way {
                from: outside[link.from as usize],
                to: outside[link.to as usize],
                forward_milliwh_max: whole_lots(link.forward_milliwh_max),
                backward_milliwh_max: whole_lots(link.backward_milliwh_max),
                forward_fee: link.forward_fee_micro_per_kwh,
                backward_fee: link.backward_fee_micro_per_kwh,
                flow_milliwh: 0,
            })
            .collect();
        ways.append(&mut limits);
        Self { zones, nodes, ways }
    }

    /// Returns the net flow of each way.
    pub(super) fn best_flow(&self, list: &List) -> Vec<i128> {
        let weights = Weights::of(self.nodes);
        let curve = |node| (node < self.zones).then(|| list.curve(node));
        let nodes: Vec<Node<'_>> = (0..self.nodes)
            .map(|node| Node { curve: curve(node) })
            .collect();
        // Only links weigh on the flow: a limit is no way to go.
        let links = self.ways.len() - (self.nodes - self.zones);
        let arcs: Vec<Arc> = self
            .ways
            .iter()
            .enumerate()
            .map(|(number, way)| {
                let cost = |fee| if number < links { weights.fee(fee) } else { 0 };
                Arc {
                    from: way.from,
                    to: way.to,
                    forward_milliwh_max: way.forward_milliwh_max,
                    backward_milliwh_max: way.backward_milliwh_max,
                    forward_cost: cost(way.forward_fee),
                    backward_cost: cost(way.backward_fee),
                }
            })
            .collect();
        best_flow(&nodes, &arcs, weights)
    }

    /// Returns what the orders of each zone give to the others. [mWh]
    pub(super) fn supplies(&self, flows: &[i128]) -> Vec<i128> {
        let mut supplies = vec![0; self.nodes];
        for (way, flow) in self.ways.iter().zip(flows) {
            supplies[way.from] += flow;
            supplies[way.to] -= flow;
        }
        debug_assert!(supplies[self.zones..].iter().all(|&supply| supply == 0));
        supplies.truncate(self.zones);
        supplies
    }

    pub(super) fn ways(mut self, flows: &[i128]) -> Vec<Way> {
        for (way, &flow) in self.ways.iter_mut().zip(flows) {
            way.flow_milliwh = flow;
        }
        self.ways
    }
}
