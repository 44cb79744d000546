//! The lots of all certificates, and how they are cut.

use std::collections::BTreeMap;

use super::{CertificateError, Lot, LotState, Step};

/// Lots by certificate and first Wh.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Lots(BTreeMap<(u64, u64), Lot>);

impl Lots {
    pub(super) fn insert(&mut self, lot: Lot) {
        self.0.insert((lot.certificate, lot.from_wh), lot);
    }

    pub(super) fn of(&self, certificate: u64) -> impl Iterator<Item = &Lot> {
        self.0
            .range((certificate, 0)..=(certificate, u64::MAX))
            .map(|(_, lot)| lot)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Lot> {
        self.0.values()
    }

    /// Cuts watt-hours out of their lot and lets them make a step, or does nothing.
    pub(super) fn step(
        &mut self,
        certificate: u64,
        from_wh: u64,
        energy_wh: u64,
        holder: &str,
        step: &Step,
    ) -> Result<(), CertificateError> {
        let lot = self.held(certificate, from_wh, energy_wh, holder)?;
        let part = |from_wh, energy_wh| Lot {
            from_wh,
            energy_wh,
            ..lot.clone()
        };
        let before = part(lot.from_wh, from_wh - lot.from_wh);
        let after_wh = lot.energy_wh - before.energy_wh - energy_wh;
        let after = part(from_wh + energy_wh, after_wh);
        let mut stepped = part(from_wh, energy_wh);
        match step {
            Step::Split => {}
            Step::Transfer { to } => stepped.holder.clone_from(to),
            Step::End(state) => stepped.state = state.clone(),
        }
        for lot in [before, stepped, after] {
            if lot.energy_wh > 0 {
                self.insert(lot);
            }
        }
        Ok(())
    }

    /// Finds the lot that holds all of the watt-hours, held by `holder`.
    fn held(
        &self,
        certificate: u64,
        from_wh: u64,
        energy_wh: u64,
        holder: &str,
    ) -> Result<Lot, CertificateError> {
        if energy_wh == 0 {
            let of = certificate.to_string();
            return Err(CertificateError::EnergyEmpty { of });
        }
        let unknown = CertificateError::CertificateUnknown { certificate };
        let lot = self
            .0
            .range((certificate, 0)..=(certificate, from_wh))
            .next_back()
            .map(|(_, lot)| lot)
            .ok_or(unknown)?;
        let within = from_wh - lot.from_wh;
        if within >= lot.energy_wh || energy_wh > lot.energy_wh - within {
            return Err(CertificateError::LotBound {
                certificate,
                from_wh,
                energy_wh,
                lot_from_wh: lot.from_wh,
                lot_wh: lot.energy_wh,
            });
        }
        if lot.state != LotState::Held {
            return Err(CertificateError::LotEnded {
                certificate,
                from_wh,
                state: lot.state.clone(),
            });
        }
        if lot.holder != holder {
            return Err(CertificateError::NotHolder {
                certificate,
                from_wh,
                holder: holder.to_owned(),
                found: lot.holder.clone(),
            });
        }
        Ok(lot.clone())
    }
}
