//! The native module `gridrig._core`: every export in one list, one file per domain beside it.

use pyo3::prelude::*;

/// The Rust core of gridrig.
#[pymodule(gil_used = false)]
mod _core {}
