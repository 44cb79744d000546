//! The words of metering: names that files, verdicts and columns are written in.

use std::collections::BTreeMap;

use gridrig_metering::{CODES, Finding, KeyForm, Outcome, Scheme, format_names, profiles};
use pyo3::prelude::*;

/// Every list of names, in the order in which columns count them.
#[pyfunction(name = "metering_words")]
pub(crate) fn py_metering_words() -> BTreeMap<&'static str, Vec<&'static str>> {
    BTreeMap::from([
        ("algorithms", Scheme::ALL.map(Scheme::name).to_vec()),
        ("codes", CODES.to_vec()),
        ("findings", Finding::ALL.map(Finding::name).to_vec()),
        ("formats", format_names().collect()),
        ("key_forms", KeyForm::ALL.map(KeyForm::name).to_vec()),
        ("outcomes", Outcome::ALL.map(Outcome::word).to_vec()),
        (
            "profiles",
            profiles().iter().map(|profile| profile.name).collect(),
        ),
    ])
}
