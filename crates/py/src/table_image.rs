//! Rows as the bytes of a database, for Python.

use gridrig_settlement::table_image::{Cell, TableImage};
use numpy::{IntoPyArray, PyArray1, PyArrayLike1};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyInt, PyString, PyTuple};

fn cell_of<'a>(value: &'a Bound<'_, PyAny>) -> PyResult<Cell<'a>> {
    if value.is_none() {
        Ok(Cell::Null)
    } else if let Ok(number) = value.cast::<PyInt>() {
        Ok(Cell::Int(number.extract()?))
    } else if let Ok(bytes) = value.cast::<PyBytes>() {
        Ok(Cell::Blob(bytes.as_bytes()))
    } else if let Ok(text) = value.cast::<PyString>() {
        Ok(Cell::Text(text.to_str()?))
    } else {
        let kind = value.get_type().name()?;
        Err(PyTypeError::new_err(format!(
            "found a cell of type {kind}, expected int, str, bytes or None"
        )))
    }
}

/// Returns a table as a database.
#[pyfunction]
#[pyo3(name = "table_image", signature = (table, columns, rows, *, first=None))]
pub(crate) fn py_table_image<'py>(
    py: Python<'py>,
    table: &str,
    columns: &str,
    rows: Vec<Bound<'py, PyTuple>>,
    first: Option<PyArrayLike1<'py, i64>>,
) -> PyResult<Bound<'py, PyArray1<u8>>> {
    let first = first.as_ref().map(|first| first.as_slice()).transpose()?;
    if let Some(found) = first.map(<[i64]>::len).filter(|&count| count != rows.len()) {
        let expected = rows.len();
        return Err(PyValueError::new_err(format!(
            "found {found} first cells, expected {expected}, one a row"
        )));
    }
    let mut image = TableImage::default();
    let mut laid_out = image.table(table, columns);
    let mut first = first.map(|first| first.iter().copied());
    for row in &rows {
        let first = first
            .as_mut()
            .map(|first| first.next().map_or(Cell::Null, Cell::Int));
        let values: Vec<Bound<'py, PyAny>> = row.iter().collect();
        let cells = first.map(Ok).into_iter().chain(values.iter().map(cell_of));
        laid_out.push(&cells.collect::<PyResult<Vec<Cell<'_>>>>()?);
    }
    laid_out.finish();
    Ok(image.finish().into_pyarray(py))
}
