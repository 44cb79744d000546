//! Rates of the signature verifier alone, for `gridrig bench metering`.

use gridrig_bench::{Signatures, SignedMessage};
use gridrig_curves::{Lanes, Scheme, TableSize, lanes, want_lanes};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use crate::errors::{CoreError, Word};

fn word<T>(
    name: &'static str,
    found: &str,
    expected: &'static str,
    read: Option<T>,
) -> Result<T, CoreError> {
    Word::read(name, found, expected, read).map_err(CoreError::Word)
}

fn table_size(name: &str) -> Option<TableSize> {
    match name {
        "none" => Some(TableSize::None),
        "small" => Some(TableSize::Small),
        "medium" => Some(TableSize::Medium),
        "large" => Some(TableSize::Large),
        _ => None,
    }
}

/// (enrolment_s, table_bytes, rates); keys are enrolled on `threads`, and `ways` are sizes of batches,
/// each with a number of threads.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "each is a word of the benchmark")]
pub(crate) fn signature_rates(
    py: Python<'_>,
    algorithm: &str,
    table: &str,
    public_keys: Vec<PyBackedBytes>,
    threads: usize,
    signed: Vec<(usize, PyBackedBytes, PyBackedBytes)>,
    ways: Vec<(usize, usize)>,
    repetitions: usize,
) -> PyResult<(f64, usize, Vec<f64>)> {
    let expected = "the name of an algorithm of a trust file";
    let scheme = word(
        "algorithm",
        algorithm,
        expected,
        Scheme::from_name(algorithm),
    )?;
    let size = word(
        "table",
        table,
        "none, small, medium or large",
        table_size(table),
    )?;
    let message = |(key, message, signature)| SignedMessage {
        key,
        message,
        signature,
    };
    let signed: Vec<_> = signed.into_iter().map(message).collect();
    let measure = || -> Result<_, CoreError> {
        let signatures = Signatures::new(scheme, size, &public_keys, threads, &signed)?;
        let rate =
            |&(batch, threads): &(usize, usize)| signatures.rate(batch, threads, repetitions);
        let rates = ways.iter().map(rate).collect::<Result<_, _>>()?;
        Ok((signatures.enrolment_s, signatures.table_bytes(), rates))
    };
    Ok(py.detach(measure)?)
}

/// Whether lanes are to be used where the machine has them.
#[pyfunction]
pub(crate) fn want_signature_lanes(wanted: bool) {
    want_lanes(wanted);
}

/// What verifies signatures here, and whether it is the lanes of the machine.
#[pyfunction]
pub(crate) fn signature_lanes() -> (String, bool) {
    (lanes().to_string(), lanes() == Lanes::Used)
}
