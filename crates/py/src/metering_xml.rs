//! The XML file of transparency software, parted into the records in it.

use std::borrow::Cow;

use gridrig_metering::{Enclosed, FormatFault, Refusal, enclosed_in_xml};
use pyo3::prelude::*;

use crate::errors::CoreError;

/// Record, key beside it, and why there is none.
type Value = (
    Option<Cow<'static, [u8]>>,
    Option<Cow<'static, [u8]>>,
    Option<String>,
);

fn value(enclosed: Result<Enclosed<'static>, FormatFault>) -> Value {
    match enclosed {
        Ok(value) => (Some(value.record), value.informed_key.map(Cow::Owned), None),
        Err(fault) => (None, None, Some(fault.to_string())),
    }
}

/// Parts a file; nothing in it is believed.
#[pyfunction(name = "enclosed_in_xml")]
pub(crate) fn py_enclosed_in_xml(py: Python<'_>, file: &[u8]) -> PyResult<Vec<Value>> {
    let values = py.detach(|| enclosed_in_xml(file));
    let values = values.map_err(|fault| CoreError::from(Refusal::from(fault)))?;
    Ok(values.into_iter().map(value).collect())
}
