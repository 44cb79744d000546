//! The one spelling of a record as bytes, which is what a leaf is hashed of.
//!
//! An array of CBOR in the deterministic encoding of RFC 8949, section 4.2.1: definite lengths, every
//! number and length in its shortest form. Any CBOR library reads it, and makes it again.

const UNSIGNED: u8 = 0 << 5;
const NEGATIVE: u8 = 1 << 5;
const BYTES: u8 = 2 << 5;
const TEXT: u8 = 3 << 5;
const ARRAY: u8 = 4 << 5;
const NULL: u8 = 0xf6;

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
    push_head(bytes, ARRAY, items.len() as u64);
    for item in items {
        match *item {
            // CBOR counts negative numbers down from -1.
            Item::Int(value) if value < 0 => push_head(bytes, NEGATIVE, !value as u64),
            Item::Int(value) => push_head(bytes, UNSIGNED, value as u64),
            Item::Unsigned(value) => push_head(bytes, UNSIGNED, value),
            Item::Text(text) => {
                push_head(bytes, TEXT, text.len() as u64);
                bytes.extend_from_slice(text.as_bytes());
            }
            Item::Bytes(value) => {
                push_head(bytes, BYTES, value.len() as u64);
                bytes.extend_from_slice(value);
            }
            Item::Null => bytes.push(NULL),
        }
    }
}

/// Returns the bytes of a record.
pub fn canonical_bytes(items: &[Item<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    append_canonical(&mut bytes, items);
    bytes
}

/// Appends the head of an item: its major type, and a number in as few bytes as it takes.
fn push_head(bytes: &mut Vec<u8>, major: u8, value: u64) {
    let highest_first = value.to_be_bytes();
    let (kind, length) = match value {
        0..=23 => return bytes.push(major | value as u8),
        24..=0xff => (24, 1),
        0x100..=0xffff => (25, 2),
        0x1_0000..=0xffff_ffff => (26, 4),
        _ => (27, 8),
    };
    bytes.push(major | kind);
    bytes.extend_from_slice(&highest_first[8 - length..]);
}
