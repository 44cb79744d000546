//! From orders in zones to fills, flows and prices.

use gridrig_quantity::{Energy, Price, QuantityError};

use super::grid::Grid;
use super::list::List;
use super::network::ZoneNetwork;
use super::outcome::{LinkFlow, ZonalColumns, ZoneCleared};
use super::prices::{Extremes, Way};
use crate::auction::admit;
use crate::{AuctionRules, MarketError, OrderColumns, Ties};

/// Clears the orders of one delivery period in zones; `zone` gives the zone of each row.
///
/// # Errors
/// As [`crate::pay_as_clear`]; [`MarketError::LinkFeeOffTick`] if a fee is not a whole number of ticks.
pub fn clear_zones(
    orders: &OrderColumns<'_>,
    zone: &[u32],
    network: &ZoneNetwork,
    rules: impl Into<AuctionRules>,
) -> Result<ZonalColumns, MarketError> {
    let rules = rules.into();
    check_fees(network, rules.market.tick_micro_per_kwh())?;
    if zone.len() != orders.len() {
        return Err(MarketError::Column {
            column: "zone",
            found: zone.len(),
            rows: orders.len(),
        });
    }
    let zones = network.zones().len();
    let admitted = admit(orders, rules.market, Some((zone, zones as u32)))?;
    let list = List::of(orders, zone, &admitted, zones);
    let grid = Grid::of(network, rules.market.lot_milliwh());
    let flows = grid.best_flow(&list);
    let mut filled_milliwh = vec![0; orders.len()];
    let bounds = list.fill(
        orders,
        &admitted,
        &grid.supplies(&flows),
        &mut filled_milliwh,
    );
    if let Ties::ProRata { seed } = rules.ties {
        let lot_milliwh = rules.market.lot_milliwh();
        list.share_pro_rata(orders, &admitted, lot_milliwh, seed, &mut filled_milliwh);
    }
    let (cleared, volume) = traded(orders, zone, &filled_milliwh, zones)?;
    let nodes = grid.nodes;
    let ways = grid.ways(&flows);
    let prices = price_nodes(&bounds, nodes, &ways, rules)?;
    let links = (0..network.links().len())
        .map(|number| LinkFlow::of(&ways[number]))
        .collect::<Result<Vec<_>, _>>()?;
    ZonalColumns::of(
        orders,
        zone,
        filled_milliwh,
        admitted.refusals,
        (cleared, &prices),
        volume,
        links,
    )
}

fn check_fees(network: &ZoneNetwork, tick_micro_per_kwh: i64) -> Result<(), MarketError> {
    for (number, link) in network.links().iter().enumerate() {
        let fees = [
            link.forward_fee_micro_per_kwh,
            link.backward_fee_micro_per_kwh,
        ];
        if let Some(&found) = fees.iter().find(|&fee| fee % tick_micro_per_kwh != 0) {
            return Err(MarketError::LinkFeeOffTick {
                link: number,
                found,
                tick_micro_per_kwh,
            });
        }
    }
    Ok(())
}

/// Sums what each zone bought and sold, and the volume.
fn traded(
    orders: &OrderColumns<'_>,
    zone: &[u32],
    filled_milliwh: &[i64],
    zones: usize,
) -> Result<(Vec<ZoneCleared>, Energy), MarketError> {
    let mut sums = vec![(0i128, 0i128); zones];
    for (row, &filled) in filled_milliwh.iter().enumerate() {
        if filled > 0 {
            let (bought, sold) = &mut sums[zone[row] as usize];
            let sum = if orders.is_bid[row] { bought } else { sold };
            *sum += i128::from(filled);
        }
    }
    let energy = |found: i128| match i64::try_from(found) {
        Ok(milliwh) => Energy::from_milliwh(milliwh),
        Err(_) => Err(QuantityError::EnergyBound { found }),
    };
    let volume = energy(sums.iter().map(|sum| sum.0).sum())?;
    debug_assert_eq!(volume, energy(sums.iter().map(|sum| sum.1).sum())?);
    let cleared = sums
        .into_iter()
        .map(|(bought, sold)| {
            Ok(ZoneCleared {
                price: None,
                bought: energy(bought)?,
                sold: energy(sold)?,
            })
        })
        .collect::<Result<_, MarketError>>()?;
    Ok((cleared, volume))
}

/// Chooses a price by node.
fn price_nodes(
    bounds: &[(Option<i64>, Option<i64>)],
    nodes: usize,
    ways: &[Way],
    rules: AuctionRules,
) -> Result<Vec<Price>, MarketError> {
    let mut bounds = bounds.to_vec();
    bounds.resize(nodes, (None, None));
    let tick = rules.market.tick_micro_per_kwh();
    let chosen = Extremes::of(&bounds, ways, tick)?.choose(rules.price, tick)?;
    let prices = chosen.into_iter().map(Price::from_micro_per_kwh);
    Ok(prices.collect::<Result<_, _>>()?)
}
