//! The wire formats: one file each, one line each in [`FORMATS`].
//!
//! A format reads received bytes into a [`SignedRecord`] and believes nothing: it looks up no key,
//! checks no signature and knows no history. To add one, write `formats/<name>.rs` with a
//! `pub(crate) static FORMAT: Format` and add it to [`FORMATS`].
//!
//! # What a reader owes
//! - The signed bytes as received: a slice, or octets put together straight from what was received,
//!   never a model written out again.
//! - Every value out of the signed bytes, except the signature, what it declares of its algorithm,
//!   and the key it brings along.
//! - [`FormatFault`] for bytes that cannot be read. What can be read and yet is no energy (a status
//!   that is not good, digits finer than a milliwatt-hour, no register at all) goes into `measure`
//!   and is told only after the signature was right; an undecodable signature goes into `signature`.
//! - One meaning for one byte sequence: a field that comes twice, trailing bytes or a number in a
//!   second spelling is a fault, unless a [`Profile`] of the format bears it.
//! - No panic, whatever the bytes; no work beyond `record_bytes_max`.

use std::borrow::Cow;

use gridrig_curves::Scheme;

use crate::FormatFault;
use crate::profile::{Profile, SIGNATURE_PROFILES};
use crate::signed_record::SignedRecord;

mod alfen;
mod arkreen;
mod bsm;
mod edl40;
mod glow;
mod isa_edl40;
mod native;
pub(crate) mod ocmf;
mod pcdf;
mod signed_meter_value;
mod transparency_xml;

mod exercise;
mod obis;
mod octets;
mod scaled;
mod sml;
mod xml;

pub use exercise::{exercise_format, exercise_xml};
pub use transparency_xml::enclosed_in_xml;

/// Every format, in the order in which detection asks them; the one that is told by its length
/// alone comes last.
pub(crate) static FORMATS: [&Format; 10] = [
    &ocmf::FORMAT,
    &isa_edl40::FORMAT,
    &edl40::FORMAT,
    &signed_meter_value::FORMAT,
    &alfen::FORMAT,
    &pcdf::FORMAT,
    &arkreen::FORMAT,
    &bsm::FORMAT,
    &native::FORMAT,
    &glow::FORMAT,
];

/// A wire format.
#[derive(Debug)]
pub(crate) struct Format {
    /// Name on the command line, in trust files and verdicts.
    pub(crate) name: &'static str,
    /// Longest record. [bytes]
    pub(crate) record_bytes_max: usize,
    /// Schemes its signatures may be of; a key enrolled for another does not verify it.
    pub(crate) schemes: &'static [Scheme],
    /// Deviations a key may be enrolled with, beside those of its signatures.
    pub(crate) profiles: &'static [&'static Profile],
    /// Tells by the first bytes, or the length, whether a record can be of this format and of no
    /// other.
    pub(crate) recognises: fn(&[u8]) -> bool,
    /// Reads a record of at most `record_bytes_max` bytes.
    pub(crate) read: for<'a> fn(&'a [u8]) -> Result<SignedRecord<'a>, FormatFault>,
}

impl Format {
    /// Reads a record, whose length is bounded first.
    pub(crate) fn read_bounded<'a>(
        &self,
        received: &'a [u8],
    ) -> Result<SignedRecord<'a>, FormatFault> {
        let (bytes, bytes_max) = (received.len(), self.record_bytes_max);
        if bytes > bytes_max {
            return Err(FormatFault::TooLong { bytes, bytes_max });
        }
        (self.read)(received)
    }
}

/// One record out of a container such as the XML file of transparency software.
///
/// A container is no format: nothing in it is signed but the records it holds. It is parted before
/// anything is verified, and each record is then judged by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enclosed<'a> {
    /// Name of the format the container states; none to have it detected.
    pub format: Option<&'static str>,
    /// The record.
    pub record: Cow<'a, [u8]>,
    /// A public key that lies beside it, for information; it is never believed.
    pub informed_key: Option<Vec<u8>>,
}

/// Finds the format of a record.
pub(crate) fn detect(received: &[u8]) -> Result<&'static Format, FormatFault> {
    FORMATS
        .into_iter()
        .find(|format| (format.recognises)(received))
        .ok_or(FormatFault::NotRecognised)
}

/// Finds a format by name.
pub(crate) fn by_name(name: &str) -> Option<&'static Format> {
    FORMATS.into_iter().find(|format| format.name == name)
}

/// Lists the names of the formats.
pub fn format_names() -> impl Iterator<Item = &'static str> {
    FORMATS.into_iter().map(|format| format.name)
}

/// Lists the profiles a key may be enrolled with, each once.
pub fn profiles() -> Vec<&'static Profile> {
    let own = FORMATS.into_iter().flat_map(|format| format.profiles);
    let mut all: Vec<&'static Profile> = SIGNATURE_PROFILES.iter().chain(own).copied().collect();
    all.sort_by_key(|profile| profile.name);
    all.dedup_by_key(|profile| profile.name);
    all
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "what is wrong here fails the test")]
mod vector_tests;
