//! Carbon: grams of an interval by the rate of that interval.

use super::CertificateError;

/// Largest rate: 10 kg per kWh, several times that of the dirtiest plant. [g/MWh]
pub const GRAMS_RATE_MAX: u32 = 10_000_000;

/// Micrograms in a gram; 1 Wh at 1 g/MWh is one microgram.
const MICROGRAMS_PER_GRAM: u128 = 1_000_000;

/// What one interval comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CarbonInterval {
    /// Energy x rate, exact; none while the rate is missing. [micrograms]
    pub exact_micrograms: Option<u128>,
    /// Grams credited with this interval: whole grams of all up to here less those before.
    pub grams: u64,
}

/// Credits the intervals of one asset, in the order of time: grams = Wh x rate, rounded down over
/// the whole and not in each interval.
///
/// An interval whose rate is missing is withheld and credits nothing; when the rate is known, the
/// sum over all intervals is what it would have been.
///
/// # Errors
/// [`CertificateError::RateBound`], [`CertificateError::GramsBound`].
pub fn credited(
    energy_wh: &[u64],
    rates_g_per_mwh: &[Option<u32>],
) -> Result<Vec<CarbonInterval>, CertificateError> {
    if energy_wh.len() != rates_g_per_mwh.len() {
        return Err(CertificateError::RatesDiffer {
            intervals: energy_wh.len(),
            rates: rates_g_per_mwh.len(),
        });
    }
    let mut sum: u128 = 0;
    let interval = |(&energy_wh, &rate): (&u64, &Option<u32>)| {
        let Some(rate) = rate else {
            return Ok(CarbonInterval {
                exact_micrograms: None,
                grams: 0,
            });
        };
        if rate > GRAMS_RATE_MAX {
            return Err(CertificateError::RateBound { found: rate });
        }
        // Below 2^88 each: more intervals than memory holds would be needed to wrap.
        let exact = u128::from(energy_wh) * u128::from(rate);
        let before = sum / MICROGRAMS_PER_GRAM;
        sum += exact;
        let grams = sum / MICROGRAMS_PER_GRAM - before;
        Ok(CarbonInterval {
            exact_micrograms: Some(exact),
            grams: u64::try_from(grams)
                .map_err(|_| CertificateError::GramsBound { found: grams })?,
        })
    };
    energy_wh
        .iter()
        .zip(rates_g_per_mwh)
        .map(interval)
        .collect()
}
