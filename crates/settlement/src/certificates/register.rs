//! The register: who claimed what, and who holds which watt-hours.

use std::collections::BTreeMap;

use super::counting::{Counting, Place, place_of};
use super::lots::Lots;
use super::source::Evidence;
use super::{
    Asset, Backing, CertificateError, Claim, Direction, Event, Interval, Lot, LotState, Scheme,
    Source, SourceKind, Step,
};
use crate::MeterPeriod;

/// Longest name of a point, meter, party, place or purpose. [bytes]
pub const TEXT_MAX: usize = 256;

/// All claims and lots. See the rules of the module.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Register {
    events: u64,
    points: BTreeMap<String, Asset>,
    point_of: BTreeMap<Asset, String>,
    sources: BTreeMap<Place, Source>,
    claims: BTreeMap<u64, Claim>,
    taken: BTreeMap<(Asset, Direction, u64), u64>,
    counting: Counting,
    lots: Lots,
    frozen: BTreeMap<u64, [u8; 32]>,
    /// What is left of what certificates charged, by storage. [mWh]
    charged_milliwh: BTreeMap<Asset, u128>,
}

impl Register {
    /// Makes an empty register.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns how many events it was made of.
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// Returns the claim of an event.
    ///
    /// # Errors
    /// [`CertificateError::CertificateUnknown`].
    pub fn claim(&self, certificate: u64) -> Result<&Claim, CertificateError> {
        let unknown = CertificateError::CertificateUnknown { certificate };
        self.claims.get(&certificate).ok_or(unknown)
    }

    /// Returns all claims in the order of their numbers.
    pub fn claims(&self) -> impl Iterator<Item = &Claim> {
        self.claims.values()
    }

    /// Returns the lots of one certificate, in the order of their watt-hours.
    pub fn lots_of(&self, certificate: u64) -> impl Iterator<Item = &Lot> {
        self.lots.of(certificate)
    }

    /// Returns all lots by certificate and first Wh.
    pub fn lots(&self) -> impl Iterator<Item = &Lot> {
        self.lots.iter()
    }

    /// Tells whether the reading behind a certificate was withdrawn.
    pub fn is_frozen(&self, certificate: u64) -> bool {
        self.frozen.contains_key(&certificate)
    }

    /// Returns the claim that stands in the way of one, if any does.
    pub fn standing(
        &self,
        asset: &Asset,
        direction: Direction,
        interval: &Interval,
    ) -> Option<&Claim> {
        let number = interval
            .iter()
            .find_map(|quantum| self.taken.get(&(*asset, direction, quantum)))?;
        self.claims.get(number)
    }

    /// Returns the claim that stands in the way of one: on a quantum of its interval, or, where
    /// readings near one edge differ, on a unit of its meter.
    fn standing_against(&self, claim: &Claim) -> Option<&Claim> {
        let in_time = self.standing(&claim.asset, claim.direction, &claim.interval);
        in_time.or_else(|| {
            let overlap = self.counting.overlap(claim.backing.as_ref()?)?;
            self.claims.get(&overlap)
        })
    }

    /// Returns the claim of what a source generated in a period, or none if that is nothing: of
    /// registers less than a whole Wh, which the next reading has again, of an interval no energy.
    ///
    /// What it returns is not entered: [`Register::apply`] does that. The same claim as one that
    /// stands is returned as it stands.
    ///
    /// # Errors
    /// [`CertificateError`], the first rule broken in the order of the enum.
    pub fn mint(
        &self,
        period: &MeterPeriod,
        scheme: Scheme,
        issuer: &str,
        holder: &str,
    ) -> Result<Option<Claim>, CertificateError> {
        let evidence = Evidence::of(period)?;
        let (opening, closing) = (evidence.opening(), evidence.closing());
        let meter = opening.meter();
        let interval = Interval::metered(meter, period.from_ms(), period.to_ms())?;
        let place = (meter.to_owned(), opening.serial().to_owned());
        let Some(source) = self.sources.get(&place) else {
            let (meter, serial) = place;
            return Err(CertificateError::SourceUnknown { meter, serial });
        };
        let (measure, units) = source.measure(
            &evidence,
            self.counting.carried(&place, source.carried_milliwh),
        )?;
        if units == 0 && !measure.leaves_energy() {
            return Ok(None);
        }
        let mut claim = Claim {
            number: self.events + 1,
            asset: source.asset,
            direction: Direction::Export,
            interval,
            energy_wh: units,
            scheme,
            issuer: issuer.to_owned(),
            holder: holder.to_owned(),
            is_from_storage: source.kind != SourceKind::Generation,
            backing: Some(Backing {
                meter: place.0,
                serial: place.1,
                opening_digest: *opening.digest(),
                closing_digest: *closing.digest(),
                measure,
                units,
            }),
        };
        if let Some(standing) = self.standing_against(&claim) {
            if claim.is_again(standing) {
                return Ok(Some(standing.clone()));
            }
        } else if claim.is_from_storage {
            // What no certificate charged goes uncertified, and its quanta with it.
            let charged_wh = self.charged_milliwh(&source.asset) / 1_000;
            let charged_wh = u64::try_from(charged_wh).unwrap_or(u64::MAX);
            claim.energy_wh = units.min(charged_wh.max(1));
        }
        self.check_claim(&claim)?;
        Ok(Some(claim))
    }

    /// Returns the certificates that a reading backs and that are not frozen: those to freeze when
    /// it is withdrawn.
    pub fn standing_on(&self, digest: &[u8; 32]) -> Vec<u64> {
        let is_backed = |claim: &&Claim| {
            let backing = claim.backing.as_ref();
            backing.is_some_and(|by| by.opening_digest == *digest || by.closing_digest == *digest)
        };
        let backed = self.claims.values().filter(is_backed);
        let numbers = backed.map(|claim| claim.number);
        numbers.filter(|&number| !self.is_frozen(number)).collect()
    }

    /// Returns what a source began with, which its first interval takes. [mWh]
    fn first_carried(&self, place: &Place) -> u16 {
        self.sources
            .get(place)
            .map_or(0, |source| source.carried_milliwh)
    }

    /// Returns what is left of what certificates charged a storage with. [mWh]
    pub fn charged_milliwh(&self, asset: &Asset) -> u128 {
        self.charged_milliwh.get(asset).copied().unwrap_or(0)
    }

    /// Enters an event.
    ///
    /// # Errors
    /// [`CertificateError`], the first rule broken; nothing is entered then.
    pub fn apply(&mut self, event: Event) -> Result<(), CertificateError> {
        match event {
            Event::Named { point, asset } => self.name(point, asset)?,
            Event::Enrolled(source) => self.enrol(source)?,
            Event::Claimed(claim) => self.enter(claim)?,
            Event::Stepped {
                certificate,
                from_wh,
                energy_wh,
                holder,
                step,
            } => self.step(certificate, from_wh, energy_wh, &holder, &step)?,
            Event::Frozen {
                certificate,
                digest,
            } => {
                let backing = self.claim(certificate)?.backing.clone();
                self.require_thawed(certificate)?;
                self.frozen.insert(certificate, digest);
                if let Some(backing) = backing {
                    self.counting.freeze(&backing);
                }
            }
        }
        self.events += 1;
        Ok(())
    }

    fn name(&mut self, point: String, asset: Asset) -> Result<(), CertificateError> {
        require_text("a connection point", &point)?;
        if let Some(&asset) = self.points.get(&point) {
            return Err(CertificateError::PointRepeated { point, asset });
        }
        if let Some(point) = self.point_of.get(&asset).cloned() {
            return Err(CertificateError::AssetRepeated { asset, point });
        }
        self.point_of.insert(asset, point.clone());
        self.points.insert(point, asset);
        Ok(())
    }

    fn enrol(&mut self, source: Source) -> Result<(), CertificateError> {
        require_text("a meter", &source.meter)?;
        source.check()?;
        let asset = source.asset;
        if !self.point_of.contains_key(&asset) {
            return Err(CertificateError::AssetUnknown { asset });
        }
        let place = (source.meter.clone(), source.serial.clone());
        if let Some(Source { asset, .. }) = self.sources.get(&place) {
            let (asset, (meter, serial)) = (*asset, place);
            return Err(CertificateError::SourceRepeated {
                meter,
                serial,
                asset,
            });
        }
        self.sources.insert(place, source);
        Ok(())
    }

    fn check_claim(&self, claim: &Claim) -> Result<(), CertificateError> {
        require_text("an issuer", &claim.issuer)?;
        require_text("a holder", &claim.holder)?;
        let backing = claim.backing.as_ref();
        let is_carried =
            backing.is_some_and(|backing| backing.units == 0 && backing.measure.leaves_energy());
        if claim.energy_wh == 0 && !is_carried {
            let of = claim.asset.to_string();
            return Err(CertificateError::EnergyEmpty { of });
        }
        if let Some(backing) = claim.backing.as_ref()
            && claim.energy_wh > backing.units
        {
            return Err(CertificateError::EnergyBeyond {
                asset: claim.asset,
                energy_wh: claim.energy_wh,
                units: backing.units,
            });
        }
        if let Some(standing) = self.standing_against(claim) {
            return Err(CertificateError::DoubleClaim {
                record: Box::new(standing.clone()),
                refused: Box::new(claim.clone()),
            });
        }
        if let Some(backing) = &claim.backing {
            let first = self.first_carried(&place_of(backing));
            self.counting.check(backing, first)?;
        }
        if claim.is_from_storage && claim.backing.is_some() {
            let left_milliwh = self.charged_milliwh(&claim.asset);
            if left_milliwh < u128::from(claim.energy_wh) * 1_000 {
                return Err(CertificateError::StorageUncharged {
                    asset: claim.asset,
                    left_milliwh,
                    needed_wh: claim.energy_wh,
                });
            }
        }
        Ok(())
    }

    fn enter(&mut self, claim: Claim) -> Result<(), CertificateError> {
        let expected = self.events + 1;
        if claim.number != expected {
            let found = claim.number;
            return Err(CertificateError::NumberOrder { found, expected });
        }
        self.check_claim(&claim)?;
        for quantum in claim.interval.iter() {
            let key = (claim.asset, claim.direction, quantum);
            self.taken.insert(key, claim.number);
        }
        if let Some(backing) = &claim.backing {
            let first = self.first_carried(&place_of(backing));
            self.counting.enter(backing, claim.number, first);
            if claim.is_from_storage {
                let left = self.charged_milliwh.entry(claim.asset).or_insert(0);
                *left -= u128::from(claim.energy_wh) * 1_000;
            }
            if claim.energy_wh > 0 {
                self.lots.insert(Lot {
                    certificate: claim.number,
                    from_wh: 0,
                    energy_wh: claim.energy_wh,
                    holder: claim.holder.clone(),
                    state: LotState::Held,
                });
            }
        }
        self.claims.insert(claim.number, claim);
        Ok(())
    }

    fn step(
        &mut self,
        certificate: u64,
        from_wh: u64,
        energy_wh: u64,
        holder: &str,
        step: &Step,
    ) -> Result<(), CertificateError> {
        let whole_wh = self.claim(certificate)?.energy_wh;
        self.require_thawed(certificate)?;
        let mut charged_permille = None;
        match step {
            Step::Split | Step::End(LotState::Held) => {}
            Step::Transfer { to } => require_text("a holder", to)?,
            Step::End(LotState::Retired {
                purpose,
                beneficiary,
            }) => {
                require_text("a purpose", purpose)?;
                require_text("a beneficiary", beneficiary)?;
            }
            Step::End(LotState::Charged { asset }) => {
                charged_permille = Some((*asset, self.storage_permille(asset)?));
            }
            Step::End(LotState::Moved { place }) => {
                require_text("a place", place)?;
                if energy_wh != whole_wh {
                    return Err(CertificateError::NotWhole {
                        certificate,
                        energy_wh,
                        whole_wh,
                    });
                }
            }
        }
        self.lots
            .step(certificate, from_wh, energy_wh, holder, step)?;
        if let Some((asset, permille)) = charged_permille {
            // A thousandth of a Wh is a milliwatt-hour: exact.
            let charged = u128::from(energy_wh) * u128::from(permille);
            *self.charged_milliwh.entry(asset).or_insert(0) += charged;
        }
        Ok(())
    }

    fn storage_permille(&self, asset: &Asset) -> Result<u16, CertificateError> {
        let permille = |source: &Source| match source.kind {
            SourceKind::Storage {
                efficiency_permille,
            } if source.asset == *asset => Some(efficiency_permille),
            _ => None,
        };
        // Of several storages of one asset the worst, so that no loss is certified.
        let worst = self.sources.values().filter_map(permille).min();
        worst.ok_or(CertificateError::NotStorage { asset: *asset })
    }

    fn require_thawed(&self, certificate: u64) -> Result<(), CertificateError> {
        if self.is_frozen(certificate) {
            return Err(CertificateError::Frozen { certificate });
        }
        Ok(())
    }
}

fn require_text(name: &'static str, text: &str) -> Result<(), CertificateError> {
    let bytes = text.len();
    if bytes == 0 || bytes > TEXT_MAX {
        return Err(CertificateError::TextBound { name, bytes });
    }
    Ok(())
}
