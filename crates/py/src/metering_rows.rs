//! Rows of the replay ledger as tuples of plain values, in and out.

use gridrig_metering::{
    ClockStatus, CounterContext, KeyForm, LedgerKey, LedgerRow, StartRegisters,
};
use gridrig_quantity::Energy;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::errors::{CoreError, Word};

/// (key_id, context, counter, time_ms, clock_status, start_ms, import_milliwh, export_milliwh,
/// operating_s, power_milliwatt, digest)
pub(crate) type Row = (
    [u8; 32],
    char,
    u64,
    i64,
    char,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<u64>,
    Option<i64>,
    [u8; 32],
);

/// The same on its way out: `bytes`, where an array would become a list of numbers.
type RowOut<'a> = (
    &'a [u8],
    char,
    u64,
    i64,
    char,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<u64>,
    Option<i64>,
    &'a [u8],
);

pub(crate) fn row_out(row: &LedgerRow) -> RowOut<'_> {
    (
        &row.key_id,
        row.context.letter(),
        row.counter,
        row.time_ms,
        row.clock_status.letter(),
        row.start_ms,
        row.import.map(Energy::milliwh),
        row.export.map(Energy::milliwh),
        row.operating_s,
        row.power_milliwatt,
        &row.digest,
    )
}

pub(crate) fn row_in(row: Row) -> PyResult<LedgerRow> {
    let (
        key_id,
        context,
        counter,
        time_ms,
        clock,
        start_ms,
        import,
        export,
        running,
        power,
        digest,
    ) = row;
    Ok(LedgerRow {
        key_id,
        context: context_in(context)?,
        counter,
        time_ms,
        clock_status: word(
            "clock_status",
            &clock.to_string(),
            "U, I, S or R",
            ClockStatus::from_letter(clock),
        )?,
        start_ms,
        import: import.map(energy_in).transpose()?,
        export: export.map(energy_in).transpose()?,
        operating_s: running,
        power_milliwatt: power,
        digest,
    })
}

/// (key_id, context, counter)
pub(crate) type LedgerKeyOut<'py> = (Bound<'py, PyBytes>, char, u64);

pub(crate) fn ledger_key_out(py: Python<'_>, key: LedgerKey) -> LedgerKeyOut<'_> {
    (PyBytes::new(py, &key.0), key.1.letter(), key.2)
}

/// (key_id, context, counter, digest)
pub(crate) type Recalled = ([u8; 32], char, u64, [u8; 32]);

pub(crate) fn recalled_in(recalled: Recalled) -> PyResult<(LedgerKey, [u8; 32])> {
    let (key_id, context, counter, digest) = recalled;
    Ok(((key_id, context_in(context)?, counter), digest))
}

/// (import_milliwh, export_milliwh)
pub(crate) fn start_in((import, export): (i64, i64)) -> PyResult<StartRegisters> {
    Ok(StartRegisters {
        import: energy_in(import)?,
        export: energy_in(export)?,
    })
}

pub(crate) fn key_form_in(name: &str) -> PyResult<KeyForm> {
    let expected = "spki, sec1, coordinates, even-x or raw";
    word("key_form", name, expected, KeyForm::from_name(name))
}

fn context_in(letter: char) -> PyResult<CounterContext> {
    let expected = "the letter of a counter";
    let context = CounterContext::from_letter(letter);
    word("context", &letter.to_string(), expected, context)
}

fn energy_in(milliwh: i64) -> PyResult<Energy> {
    Ok(Energy::from_milliwh(milliwh).map_err(CoreError::from)?)
}

fn word<T>(
    name: &'static str,
    found: &str,
    expected: &'static str,
    read: Option<T>,
) -> PyResult<T> {
    let found = found.to_owned();
    let unknown = || {
        CoreError::Word(Word {
            name,
            found,
            expected,
        })
    };
    Ok(read.ok_or_else(unknown)?)
}
