//! The JSON of an OCMF record as it is written, before anything is believed.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// The payload section. Fields this verifier has no use for are skipped; a field it uses that comes
/// twice is refused, since two readers could then read two different records.
#[derive(Deserialize)]
pub(crate) struct PayloadText<'a> {
    #[serde(rename = "FV", borrow)]
    pub(crate) format_version: Option<&'a RawValue>,
    #[serde(rename = "GS", borrow)]
    pub(crate) gateway_serial: Option<Cow<'a, str>>,
    #[serde(rename = "MS", borrow)]
    pub(crate) meter_serial: Option<Cow<'a, str>>,
    #[serde(rename = "ID", borrow)]
    pub(crate) identification: Option<&'a RawValue>,
    #[serde(rename = "PG", borrow)]
    pub(crate) pagination: Option<Cow<'a, str>>,
    #[serde(rename = "RD", borrow)]
    pub(crate) readings: Option<Vec<ReadingText<'a>>>,
}

/// One reading; a field left out is that of the reading before, except the value.
#[derive(Deserialize, Clone)]
pub(crate) struct ReadingText<'a> {
    #[serde(rename = "TM", borrow)]
    pub(crate) time: Option<Cow<'a, str>>,
    #[serde(rename = "RV", borrow)]
    pub(crate) value: Option<&'a RawValue>,
    #[serde(rename = "RI", borrow)]
    pub(crate) identification: Option<Cow<'a, str>>,
    #[serde(rename = "RU", borrow)]
    pub(crate) unit: Option<Cow<'a, str>>,
    #[serde(rename = "EF", borrow)]
    pub(crate) error_flags: Option<Cow<'a, str>>,
    #[serde(rename = "ST", borrow)]
    pub(crate) status: Option<Cow<'a, str>>,
}

impl<'a> ReadingText<'a> {
    /// Fills what is left out from the reading before.
    pub(crate) fn inherit(self, before: Option<&Self>) -> Self {
        let Some(before) = before else { return self };
        let or = |own: Option<Cow<'a, str>>, inherited: &Option<Cow<'a, str>>| {
            own.or_else(|| inherited.clone())
        };
        Self {
            time: or(self.time, &before.time),
            value: self.value,
            identification: or(self.identification, &before.identification),
            unit: or(self.unit, &before.unit),
            error_flags: or(self.error_flags, &before.error_flags),
            status: or(self.status, &before.status),
        }
    }
}

/// The signature section, which is itself not signed.
#[derive(Deserialize)]
pub(crate) struct SignatureText<'a> {
    #[serde(rename = "SA", borrow)]
    pub(crate) algorithm: Option<Cow<'a, str>>,
    #[serde(rename = "SE", borrow)]
    pub(crate) encoding: Option<Cow<'a, str>>,
    #[serde(rename = "SM", borrow)]
    pub(crate) mime_type: Option<Cow<'a, str>>,
    #[serde(rename = "SD", borrow)]
    pub(crate) data: Option<Cow<'a, str>>,
}
