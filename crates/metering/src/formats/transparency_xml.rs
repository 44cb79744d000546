//! The XML file that transparency software exchanges: signed values, and keys for information.
//!
//! `<values><value><signedData format= encoding=>..</signedData><publicKey>..</publicKey></value>
//! ..</values>`. It is parted here and nothing of it is believed: neither the file nor the keys in
//! it are signed, each record is judged by itself against the trust store.
//!
//! White space around a record is not part of it. A record given as hexadecimal text is taken as
//! its octets, whether or not the encoding says so, since files in the field call it plain.
//!
//! # Source
//! S.A.F.E. e.V. transparenzsoftware 1.4.1 (Apache-2.0), `XML_Format.md` and `values.xsd`, read for
//! facts.

use std::borrow::Cow;

use data_encoding::BASE32;

use super::xml::{Element, document};
use super::{Enclosed, alfen, edl40, isa_edl40, ocmf, pcdf, signed_meter_value};
use crate::FormatFault;

/// Longest file. [bytes]
pub const XML_BYTES_MAX: usize = 4 << 20;

/// Most values in one file.
pub const XML_VALUES_MAX: usize = 4_096;

/// Longest key given for information. [bytes]
const KEY_BYTES_MAX: usize = 512;

/// Parts a file into its records, in their order; a value that cannot be read is a fault of its
/// own, and leaves the others alone.
///
/// # Errors
/// [`FormatFault`] if the file is longer than [`XML_BYTES_MAX`], is not XML without document type
/// and entities, or is not a list of at most [`XML_VALUES_MAX`] values.
pub fn enclosed_in_xml(
    file: &[u8],
) -> Result<Vec<Result<Enclosed<'static>, FormatFault>>, FormatFault> {
    let (bytes, bytes_max) = (file.len(), XML_BYTES_MAX);
    if bytes > bytes_max {
        return Err(FormatFault::TooLong { bytes, bytes_max });
    }
    let root = document(file)?;
    if root.name != "values" || !root.text.trim_ascii().is_empty() {
        return Err(FormatFault::value(
            "root element",
            root.name,
            "values, without text",
        ));
    }
    if root.children.len() > XML_VALUES_MAX {
        let fault = format!("more than {XML_VALUES_MAX} values");
        return Err(FormatFault::structure("values", fault));
    }
    Ok(root.children.iter().map(enclosed).collect())
}

fn enclosed(value: &Element) -> Result<Enclosed<'static>, FormatFault> {
    if value.name != "value" {
        return Err(FormatFault::value("element", &value.name, "value"));
    }
    let data = value.child("signedData")?;
    let data = data.ok_or(FormatFault::Missing {
        field: "signedData",
    })?;
    if !data.children.is_empty() {
        return Err(FormatFault::structure(
            "signedData",
            "elements beside its text",
        ));
    }
    let record = octets_of(data)?;
    if record.is_empty() {
        return Err(FormatFault::Missing {
            field: "signedData",
        });
    }
    Ok(Enclosed {
        format: stated_format(data)?,
        record: Cow::Owned(record),
        informed_key: value.child("publicKey")?.and_then(key_of),
    })
}

/// Names the format that the file states.
fn stated_format(data: &Element) -> Result<Option<&'static str>, FormatFault> {
    let format = match data.attribute("format") {
        None | Some("") => return Ok(None),
        Some("OCMF") => &ocmf::FORMAT,
        Some("ALFEN") => &alfen::FORMAT,
        Some("PCDF") => &pcdf::FORMAT,
        Some("EDL_40_P" | "SML_EDL40_P") => &edl40::FORMAT,
        Some("ISA_EDL_40_P") => &isa_edl40::FORMAT,
        Some("EDL_40_SIG") => &signed_meter_value::FORMAT,
        Some(other) => {
            let expected = "the name of a format that is read";
            return Err(FormatFault::value("format", other, expected));
        }
    };
    Ok(Some(format.name))
}

fn octets_of(data: &Element) -> Result<Vec<u8>, FormatFault> {
    let text = data.text.trim_ascii();
    let fault = |fault: &dyn std::fmt::Display| FormatFault::structure("signedData", fault);
    match data.attribute("encoding") {
        None | Some("" | "plain") => {
            let frame = hex::decode(unspaced(text)).ok();
            let frame = frame.filter(|octets| octets.starts_with(&[0x1b; 4]));
            Ok(frame.unwrap_or_else(|| text.as_bytes().to_vec()))
        }
        Some("hex") => hex::decode(unspaced(text)).map_err(|f| fault(&f)),
        Some("base64") => base64(&unspaced(text)).ok_or_else(|| fault(&"not base64")),
        Some("base32") => {
            let decoded = BASE32.decode(unspaced(text).as_bytes());
            decoded.map_err(|f| fault(&f))
        }
        Some(other) => {
            let expected = "plain, hex, base64 or base32";
            Err(FormatFault::value("encoding", other, expected))
        }
    }
}

/// Reads a key as leniently as files are written; what cannot be read informs of nothing.
fn key_of(element: &Element) -> Option<Vec<u8>> {
    let text = unspaced(element.text.trim_ascii());
    let key = hex::decode(&text).ok().or_else(|| base64(&text));
    let key = key.or_else(|| BASE32.decode(text.as_bytes()).ok());
    key.filter(|key| !key.is_empty() && key.len() <= KEY_BYTES_MAX)
}

fn unspaced(text: &str) -> String {
    text.split_ascii_whitespace().collect()
}

fn base64(text: &str) -> Option<Vec<u8>> {
    use base64ct::{Base64, Encoding};
    Base64::decode_vec(text).ok()
}
