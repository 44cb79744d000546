//! The orders of all zones on their curves, and what a supply of each zone fills.

use super::curve::{Curve, Entry};
use crate::OrderColumns;
use crate::auction::{Admitted, share_pro_rata};

/// All orders taken, zone after zone, each zone a rising curve.
pub(super) struct List {
    entries: Vec<Entry>,
    /// Energy before each entry, and of all. [mWh]
    before_milliwh: Vec<i128>,
    /// Where each zone begins, and the end. Entries.
    begins: Vec<usize>,
    /// By zone. [mWh]
    bids_milliwh: Vec<i128>,
}

impl List {
    pub(super) fn of(
        orders: &OrderColumns<'_>,
        zone: &[u32],
        admitted: &Admitted,
        zones: usize,
    ) -> Self {
        let mut entries = Vec::with_capacity(admitted.bids.len() + admitted.offers.len());
        for (side, is_bid) in [(&admitted.bids, true), (&admitted.offers, false)] {
            entries.extend(side.iter().map(|&order| {
                let at = zone[admitted.row(order)];
                Entry::new(at, is_bid, order.price(is_bid), order.position())
            }));
        }
        entries.sort_unstable();
        let mut before_milliwh = Vec::with_capacity(entries.len() + 1);
        let mut bids_milliwh = vec![0; zones];
        let mut sum = 0;
        for &entry in &entries {
            before_milliwh.push(sum);
            let energy = i128::from(orders.energy_milliwh[admitted.row_at(entry.position())]);
            sum += energy;
            if entry.is_bid() {
                bids_milliwh[entry.zone()] += energy;
            }
        }
        before_milliwh.push(sum);
        let begins = (0..=zones)
            .map(|zone| entries.partition_point(|entry| entry.zone() < zone))
            .collect();
        Self {
            entries,
            before_milliwh,
            begins,
            bids_milliwh,
        }
    }

    pub(super) fn curve(&self, zone: usize) -> Curve<'_> {
        let (begin, end) = (self.begins[zone], self.begins[zone + 1]);
        Curve::new(
            &self.entries[begin..end],
            &self.before_milliwh[begin..=end],
            self.bids_milliwh[zone],
        )
    }

    /// Writes what each order trades; returns by zone the prices of the last order taken and of the
    /// first one left on its curve.
    pub(super) fn fill(
        &self,
        orders: &OrderColumns<'_>,
        admitted: &Admitted,
        supplies: &[i128],
        filled_milliwh: &mut [i64],
    ) -> Vec<(Option<i64>, Option<i64>)> {
        let mut bounds = Vec::with_capacity(supplies.len());
        for (zone, &supply) in supplies.iter().enumerate() {
            let curve = self.curve(zone);
            let (whole, part) = curve.place(supply);
            for (place, &entry) in curve.entries.iter().enumerate() {
                let row = admitted.row_at(entry.position());
                let asked = orders.energy_milliwh[row];
                let taken = match place {
                    _ if place < whole => asked,
                    _ if place == whole => part,
                    _ => 0,
                };
                // What is taken from a bid is what it does not get.
                filled_milliwh[row] = if entry.is_bid() { asked - taken } else { taken };
            }
            let taken = if part > 0 { whole + 1 } else { whole };
            let last = taken
                .checked_sub(1)
                .and_then(|place| curve.entries.get(place));
            let left = curve.entries.get(whole);
            bounds.push((last.map(|e| e.price()), left.map(|e| e.price())));
        }
        bounds
    }

    /// Shares anew, within each zone, the price levels that are filled neither wholly nor not at all.
    pub(super) fn share_pro_rata(
        &self,
        orders: &OrderColumns<'_>,
        admitted: &Admitted,
        lot_milliwh: i64,
        seed: u64,
        filled_milliwh: &mut [i64],
    ) {
        for level in self.entries.chunk_by(|&one, &next| one.ties_with(next)) {
            let mut rows: Vec<usize> = level
                .iter()
                .map(|entry| admitted.row_at(entry.position()))
                .collect();
            let whole = rows
                .iter()
                .all(|&r| filled_milliwh[r] == orders.energy_milliwh[r]);
            let nothing = rows.iter().all(|&row| filled_milliwh[row] == 0);
            if !whole && !nothing {
                rows.sort_by_key(|&row| orders.order_id[row]);
                share_pro_rata(orders, &rows, lot_milliwh, seed, filled_milliwh);
            }
        }
    }
}
