//! Who is in a programme, and with which meters.

use std::collections::BTreeMap;

use gridrig_quantity::Energy;

use super::RewardError;

/// Most sites of a programme.
pub const SITES_MAX: usize = 1_000_000;

/// Most meters of a connection point.
pub const METERS_PER_POINT_MAX: usize = 1_000;

/// A connection point in a programme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The connection point.
    pub point: String,
    /// All its meters.
    pub meters: Vec<String>,
    /// Most energy that is paid for in an event, not negative.
    pub commitment: Energy,
}

/// The sites of a programme. A connection point is enrolled whole, with every meter it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fleet {
    points: BTreeMap<String, Vec<String>>,
    sites: BTreeMap<String, Site>,
    site_of: BTreeMap<String, String>,
}

impl Fleet {
    /// Takes the list of connection points and their meters, as the network operator keeps it.
    ///
    /// # Errors
    /// [`RewardError::MeterRepeated`], [`RewardError::PointUnknown`] for one without meters,
    /// [`RewardError::ProgrammeBound`] for one with too many.
    pub fn new(points: BTreeMap<String, Vec<String>>) -> Result<Self, RewardError> {
        let mut point_of: BTreeMap<&str, &str> = BTreeMap::new();
        for (point, meters) in &points {
            if meters.is_empty() {
                let point = point.clone();
                return Err(RewardError::PointUnknown { point });
            }
            if meters.len() > METERS_PER_POINT_MAX {
                return Err(RewardError::ProgrammeBound {
                    name: "number of meters of a connection point",
                    found: meters.len() as i64,
                    least: 1,
                    most: METERS_PER_POINT_MAX as i64,
                });
            }
            for meter in meters {
                if let Some(other) = point_of.insert(meter, point) {
                    return Err(RewardError::MeterRepeated {
                        meter: meter.clone(),
                        point: other.to_owned(),
                        again: point.clone(),
                    });
                }
            }
        }
        Ok(Self {
            points,
            sites: BTreeMap::new(),
            site_of: BTreeMap::new(),
        })
    }

    /// Enrols a connection point as a site.
    ///
    /// # Errors
    /// [`RewardError::TooMany`], [`RewardError::PointUnknown`], [`RewardError::PointEnrolled`],
    /// [`RewardError::SiteRepeated`], [`RewardError::DueBound`]. Nothing is enrolled then.
    pub fn enrol(
        &mut self,
        site: &str,
        point: &str,
        commitment: Energy,
    ) -> Result<(), RewardError> {
        if self.sites.len() >= SITES_MAX {
            return Err(RewardError::TooMany {
                sites: self.sites.len() + 1,
                periods: 0,
            });
        }
        let Some(meters) = self.points.get(point) else {
            let point = point.to_owned();
            return Err(RewardError::PointUnknown { point });
        };
        if let Some(standing) = self.site_of.get(point) {
            return Err(RewardError::PointEnrolled {
                point: point.to_owned(),
                site: standing.clone(),
                again: site.to_owned(),
            });
        }
        if site.is_empty() || self.sites.contains_key(site) {
            let site = site.to_owned();
            return Err(RewardError::SiteRepeated { site });
        }
        if commitment < Energy::ZERO {
            return Err(RewardError::DueBound {
                name: "a commitment, in mWh,",
                found: commitment.milliwh().into(),
            });
        }
        let enrolled = Site {
            point: point.to_owned(),
            meters: meters.clone(),
            commitment,
        };
        self.site_of.insert(point.to_owned(), site.to_owned());
        self.sites.insert(site.to_owned(), enrolled);
        Ok(())
    }

    /// Returns a site.
    ///
    /// # Errors
    /// [`RewardError::SiteUnknown`].
    pub fn site(&self, site: &str) -> Result<&Site, RewardError> {
        let unknown = || RewardError::SiteUnknown {
            site: site.to_owned(),
        };
        self.sites.get(site).ok_or_else(unknown)
    }

    /// Returns the sites by name.
    pub const fn sites(&self) -> &BTreeMap<String, Site> {
        &self.sites
    }
}
