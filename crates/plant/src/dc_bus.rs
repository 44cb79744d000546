//! What a battery inverter's DC bus does when the battery leaves it under load.
//!
//! Until the inverter has cut its power, the bus capacitors carry it alone: while discharging they
//! empty, while charging they fill. From 1/2 C v'^2 = 1/2 C v^2 - p t follows v'/v. Outside its band
//! the inverter trips; inside, only its power ends.

use crate::error::PlantError;
use crate::setting::Reader;

/// The DC bus of one storage inverter.
#[derive(Clone, Copy, Debug)]
pub struct DcBus {
    /// Energy of the capacitors at the battery's voltage, by apparent power [J/VA].
    j_per_va: f64,
    /// From the battery's loss until the inverter's power is zero [s].
    response_s: f64,
    /// Lowest and highest voltage it rides through, of the voltage before [pu].
    band_pu: (f64, f64),
}

impl DcBus {
    /// Reads `dc_bus_j_per_va`, `dc_bus_response_s`, `dc_bus_low_pu` and `dc_bus_high_pu`.
    ///
    /// The defaults are an assumption: capacitors that hold 5 ms of rated power, a control that
    /// needs 2 ms, trips 15 % beside the voltage.
    ///
    /// # Errors
    /// `SettingWrong`.
    pub fn read(reader: &mut Reader) -> Result<DcBus, PlantError> {
        Ok(DcBus {
            j_per_va: reader.number("dc_bus_j_per_va", 0.005, (1e-5, 1.0))?,
            response_s: reader.number("dc_bus_response_s", 0.002, (0.0, 1.0))?,
            band_pu: (
                reader.number("dc_bus_low_pu", 0.85, (0.0, 1.0))?,
                reader.number("dc_bus_high_pu", 1.15, (1.0, 10.0))?,
            ),
        })
    }

    /// The voltage over that before, once the battery left at `p_w` (positive while discharging).
    pub fn kick_pu(&self, p_w: f64, s_va: f64) -> f64 {
        let stored_j = self.j_per_va * s_va;
        (1.0 - p_w * self.response_s / stored_j).max(0.0).sqrt()
    }

    /// What trips the inverter at that voltage, if anything does.
    pub fn trip(&self, v_pu: f64) -> Option<&'static str> {
        if v_pu < self.band_pu.0 {
            Some("dc_under_voltage")
        } else if v_pu > self.band_pu.1 {
            Some("dc_over_voltage")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::DcBus;

    const BUS: DcBus = DcBus {
        j_per_va: 0.005,
        response_s: 0.002,
        band_pu: (0.85, 1.15),
    };

    #[test]
    fn bus_falls_when_a_source_leaves_and_rises_when_a_sink_leaves() {
        // 10 kVA: 50 J; 10 kW for 2 ms: 20 J; so v^2 changes by 0.4.
        assert!((BUS.kick_pu(1e4, 1e4) - 0.6f64.sqrt()).abs() < 1e-12);
        assert!((BUS.kick_pu(-1e4, 1e4) - 1.4f64.sqrt()).abs() < 1e-12);
        assert_eq!(BUS.kick_pu(1e6, 1e4), 0.0);
    }

    #[test]
    fn small_power_ends_without_a_trip() {
        assert_eq!(BUS.trip(BUS.kick_pu(1e3, 1e4)), None);
        assert_eq!(BUS.trip(BUS.kick_pu(1e4, 1e4)), Some("dc_under_voltage"));
        assert_eq!(BUS.trip(BUS.kick_pu(-1e4, 1e4)), Some("dc_over_voltage"));
    }
}
