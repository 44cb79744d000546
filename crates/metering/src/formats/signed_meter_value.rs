//! `signedMeterValue`: an EDL40 block as it was signed, in base64 inside a little XML.
//!
//! # Source
//! S.A.F.E. e.V. transparenzsoftware 1.4.1 (Apache-2.0), read for facts and checked against
//! signatures of genuine meters.

use std::borrow::Cow;

use base64ct::{Base64, Encoding};
use gridrig_curves::Scheme;

use super::Format;
use super::edl40::read_block;
use super::xml::{Element, document};
use crate::FormatFault;
use crate::signed_record::{DeclaredAlgorithm, SignedRecord};

/// Signed blocks of EDL40 meters with either curve.
pub(crate) static FORMAT: Format = Format {
    name: "signed-meter-value",
    record_bytes_max: 4_096,
    schemes: &[Scheme::EcdsaSecp192r1, Scheme::EcdsaP256],
    profiles: &[],
    recognises: |received| {
        let mark = b"<signedMeterValue";
        let begins = received.trim_ascii_start().starts_with(b"<");
        begins && received.windows(mark.len()).any(|window| window == mark)
    },
    read,
};

fn read(received: &[u8]) -> Result<SignedRecord<'_>, FormatFault> {
    let value = document(received.trim_ascii())?;
    if value.name != "signedMeterValue" {
        return Err(FormatFault::value(
            "root element",
            value.name,
            "signedMeterValue",
        ));
    }
    let method = text_of(&value, "signatureMethod")?;
    let (scheme, signature_bytes) = match method {
        "ECDSA192SHA256" => (Scheme::EcdsaSecp192r1, 48),
        "ECDSA256SHA256" => (Scheme::EcdsaP256, 64),
        other => {
            let expected = "ECDSA192SHA256 or ECDSA256SHA256";
            return Err(FormatFault::value("signatureMethod", other, expected));
        }
    };
    let encoding = text_of(&value, "encodingMethod")?;
    if encoding != "EDL" {
        return Err(FormatFault::value("encodingMethod", encoding, "EDL"));
    }
    let block = octets_of(&value, "encodedMeterValue")?;
    let signature = octets_of(&value, "meterValueSignature")?;
    // The log index after the signature is that of the block.
    let (numbers, log_index) = signature.split_at(signature.len().min(signature_bytes));
    if log_index.len() != 2 || block.get(39..41) != Some(log_index) {
        let expected = "r, s and the log index of the block";
        let found = hex::encode(&signature);
        return Err(FormatFault::value("meterValueSignature", found, expected));
    }
    let mut record = read_block(Cow::Owned(block), Cow::Owned(numbers.to_vec()), None)?;
    record.declared = Some(DeclaredAlgorithm {
        text: Cow::Owned(method.to_owned()),
        scheme: Some(scheme),
    });
    if value.child("publicKey")?.is_some() {
        record.informed_key = Some(Cow::Owned(octets_of(&value, "publicKey")?));
    }
    Ok(record)
}

fn text_of<'e>(value: &'e Element, name: &'static str) -> Result<&'e str, FormatFault> {
    let child = value.child(name)?;
    let child = child.ok_or(FormatFault::Missing { field: name })?;
    Ok(child.text.trim_ascii())
}

fn octets_of(value: &Element, name: &'static str) -> Result<Vec<u8>, FormatFault> {
    let child = value.child(name)?;
    let encoding = child.and_then(|child| child.attribute("encoding"));
    if let Some(other) = encoding.filter(|encoding| *encoding != "base64") {
        return Err(FormatFault::value("encoding", other, "base64"));
    }
    let text: String = text_of(value, name)?.split_ascii_whitespace().collect();
    Base64::decode_vec(&text).map_err(|fault| FormatFault::structure(name, fault))
}
