//! Octets at fixed places, and how they are shown.

use std::borrow::Cow;

/// Copies `N` octets from a place known to hold them.
pub(super) fn octets_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    std::array::from_fn(|place| bytes[at + place])
}

/// Reads four octets, least significant first.
pub(super) fn u32_le(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(octets_at(bytes, at))
}

/// Shows octets that hold a name: as text where it is printable ASCII, else `0x` and hex digits.
/// Zero octets at the end fill the field and are left out; nothing else means nothing.
pub(super) fn shown(octets: &[u8]) -> Option<Cow<'static, str>> {
    let filled = octets.iter().rposition(|&octet| octet != 0)? + 1;
    let name = &octets[..filled];
    let printable = name.iter().all(|octet| (b' '..=b'~').contains(octet));
    let text = if printable {
        name.iter().copied().map(char::from).collect()
    } else {
        format!("0x{}", hex::encode(name))
    };
    Some(Cow::Owned(text))
}
