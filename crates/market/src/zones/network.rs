//! Where energy can flow between zones, how much of it, and for what fee.

use gridrig_quantity::{ENERGY_MILLIWH_MAX, PRICE_MICRO_PER_KWH_MAX};

use crate::MarketError;

/// Most zones of one market.
pub const ZONES_MAX: usize = 1_000;

/// Most links of one market.
pub const LINKS_MAX: usize = 10_000;

/// Limits of one zone on what it gives to and takes from all its links together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Zone {
    /// Most energy it may sell beyond what it buys; none for no limit. [mWh]
    pub export_milliwh_max: Option<i64>,
    /// Most energy it may buy beyond what it sells; none for no limit. [mWh]
    pub import_milliwh_max: Option<i64>,
}

/// A way for energy from one zone to another and back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Zone at which a forward flow begins.
    pub from: u32,
    /// Zone at which it ends.
    pub to: u32,
    /// Most net energy forward. [mWh]
    pub forward_milliwh_max: i64,
    /// Most net energy backward. [mWh]
    pub backward_milliwh_max: i64,
    /// Charged on net energy forward, not negative. [millionths/kWh]
    pub forward_fee_micro_per_kwh: i64,
    /// Charged on net energy backward, not negative. [millionths/kWh]
    pub backward_fee_micro_per_kwh: i64,
}

/// Zones and links that fit each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneNetwork {
    zones: Vec<Zone>,
    links: Vec<Link>,
}

impl ZoneNetwork {
    /// Joins zones, numbered by their places, with links; two zones may have several.
    ///
    /// # Errors
    /// [`MarketError::Zones`], [`MarketError::Links`], [`MarketError::ZoneLimit`],
    /// [`MarketError::LinkEnd`], [`MarketError::LinkLimit`], [`MarketError::LinkFee`].
    pub fn new(zones: Vec<Zone>, links: Vec<Link>) -> Result<Self, MarketError> {
        if zones.is_empty() || zones.len() > ZONES_MAX {
            let found = zones.len();
            return Err(MarketError::Zones { found });
        }
        if links.len() > LINKS_MAX {
            let found = links.len();
            return Err(MarketError::Links { found });
        }
        for (number, zone) in zones.iter().enumerate() {
            for limit in [zone.export_milliwh_max, zone.import_milliwh_max] {
                if let Some(found) = limit.filter(|limit| !is_energy(*limit)) {
                    return Err(MarketError::ZoneLimit {
                        zone: number,
                        found,
                    });
                }
            }
        }
        for (number, link) in links.iter().enumerate() {
            check(number, link, zones.len())?;
        }
        Ok(Self { zones, links })
    }

    /// Returns the zones.
    pub fn zones(&self) -> &[Zone] {
        &self.zones
    }

    /// Returns the links.
    pub fn links(&self) -> &[Link] {
        &self.links
    }
}

fn check(number: usize, link: &Link, zones: usize) -> Result<(), MarketError> {
    let known = |end: u32| (end as usize) < zones;
    if link.from == link.to || !known(link.from) || !known(link.to) {
        let (from, to) = (link.from, link.to);
        return Err(MarketError::LinkEnd {
            link: number,
            from,
            to,
            zones,
        });
    }
    for found in [link.forward_milliwh_max, link.backward_milliwh_max] {
        if !is_energy(found) {
            return Err(MarketError::LinkLimit {
                link: number,
                found,
            });
        }
    }
    for found in [
        link.forward_fee_micro_per_kwh,
        link.backward_fee_micro_per_kwh,
    ] {
        if !(0..=PRICE_MICRO_PER_KWH_MAX).contains(&found) {
            return Err(MarketError::LinkFee {
                link: number,
                found,
            });
        }
    }
    Ok(())
}

fn is_energy(milliwh: i64) -> bool {
    (0..=ENERGY_MILLIWH_MAX).contains(&milliwh)
}
