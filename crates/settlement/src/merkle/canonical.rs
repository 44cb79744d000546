//! The one spelling of a record as bytes, which is what a leaf is hashed of.
//!
//! An array of CBOR in the deterministic encoding of RFC 8949, section 4.2.1: definite lengths, every
//! number and length in its shortest form. Any CBOR library reads it, and makes it again.

use ciborium_ll::{Encoder, Header, simple};

/// One item of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item<'a> {
    /// A number.
    Int(i64),
    /// A number that may be beyond the signed ones.
    Unsigned(u64),
    /// A text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// Nothing.
    Null,
}

/// Appends a record to `bytes`.
pub fn append_canonical(bytes: &mut Vec<u8>, items: &[Item<'_>]) {
    push(bytes, Header::Array(Some(items.len())));
    for item in items {
        match *item {
            Item::Int(value) => push(bytes, header_of(value)),
            Item::Unsigned(value) => push(bytes, Header::Positive(value)),
            Item::Text(text) => {
                push(bytes, Header::Text(Some(text.len())));
                bytes.extend_from_slice(text.as_bytes());
            }
            Item::Bytes(value) => {
                push(bytes, Header::Bytes(Some(value.len())));
                bytes.extend_from_slice(value);
            }
            Item::Null => push(bytes, Header::Simple(simple::NULL)),
        }
    }
}

/// Returns the bytes of a record.
pub fn canonical_bytes(items: &[Item<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    append_canonical(&mut bytes, items);
    bytes
}

const fn header_of(value: i64) -> Header {
    if value < 0 {
        // CBOR counts negative numbers down from -1.
        Header::Negative(!value as u64)
    } else {
        Header::Positive(value as u64)
    }
}

fn push(bytes: &mut Vec<u8>, header: Header) {
    let pushed = Encoder::from(bytes).push(header);
    debug_assert!(pushed.is_ok(), "a vector takes whatever it is given");
}
