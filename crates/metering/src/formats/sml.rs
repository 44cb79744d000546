//! Smart Message Language: the frame and the fields that EDL40 meters wrap their readings in.
//!
//! A file is `1b1b1b1b 01010101`, messages, up to three bytes of padding, and
//! `1b1b1b1b 1a PP CC CC`; inside, a run of four escape bytes is doubled. Checksums are
//! CRC-16/X-25, of the file and of each message. A message is a list; a list, a number or a text
//! begins with type and length.
//!
//! # Source
//! BSI TR-03109-1, annex IV, part a "Feinspezifikation Drahtgebundene LMN-Schnittstelle"; SML
//! 1.04.

use crate::FormatFault;

/// Lists within lists; a `GetListResponse` needs five.
pub const SML_DEPTH_MAX: usize = 8;

/// Elements of one list.
pub const SML_LIST_MAX: usize = 64;

/// Messages of one file.
pub const SML_MESSAGES_MAX: usize = 16;

const ESCAPE: [u8; 4] = [0x1b; 4];
const BEGIN: [u8; 8] = [0x1b, 0x1b, 0x1b, 0x1b, 1, 1, 1, 1];
/// Message body of a `GetList.Res`.
const GET_LIST_RESPONSE: u64 = 0x0701;

/// One field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Field<'a> {
    Octets(&'a [u8]),
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    List(Vec<Field<'a>>),
}

impl<'a> Field<'a> {
    /// An octet string of no length stands for a field left out.
    pub(super) fn is_absent(&self) -> bool {
        *self == Self::Octets(&[])
    }

    pub(super) fn octets(&self) -> Option<&'a [u8]> {
        match self {
            Self::Octets(octets) => Some(octets),
            _ => None,
        }
    }

    pub(super) fn unsigned(&self) -> Option<u64> {
        match self {
            Self::Unsigned(number) => Some(*number),
            _ => None,
        }
    }

    /// A whole number of either kind.
    pub(super) fn integer(&self) -> Option<i64> {
        match self {
            Self::Unsigned(number) => i64::try_from(*number).ok(),
            Self::Signed(number) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn list<const N: usize>(&self) -> Option<&[Self; N]> {
        match self {
            Self::List(fields) => fields.as_slice().try_into().ok(),
            _ => None,
        }
    }

    fn any_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(fields) => Some(fields),
            _ => None,
        }
    }
}

/// The one list of values in a file, and its signature.
#[derive(Debug)]
pub(super) struct ListResponse<'a> {
    pub(super) server: &'a [u8],
    pub(super) name: &'a [u8],
    /// When the list was read, which is not signed.
    pub(super) sensor_time: Field<'a>,
    pub(super) entries: Vec<Entry<'a>>,
    pub(super) signature: &'a [u8],
}

/// One entry of the list of values.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) name: [u8; 6],
    pub(super) status: Field<'a>,
    pub(super) time: Field<'a>,
    pub(super) unit: Field<'a>,
    pub(super) scaler: Field<'a>,
    pub(super) value: Field<'a>,
    pub(super) signature: &'a [u8],
}

fn frame(fault: &'static str) -> FormatFault {
    FormatFault::structure("SML", fault)
}

fn beyond(limit: usize, what: &'static str) -> FormatFault {
    FormatFault::structure("SML", format_args!("more than {limit} {what}"))
}

/// Takes frame, escapes, padding and checksum away.
pub(super) fn messages_of(file: &[u8]) -> Result<Vec<u8>, FormatFault> {
    let Some(mut rest) = file.strip_prefix(&BEGIN) else {
        return Err(frame("does not begin with 1b1b1b1b01010101"));
    };
    let mut messages = Vec::with_capacity(rest.len());
    loop {
        if let Some(after) = rest.strip_prefix(&ESCAPE) {
            match *after {
                [0x1b, 0x1b, 0x1b, 0x1b, ..] => {
                    messages.extend_from_slice(&ESCAPE);
                    rest = &after[4..];
                }
                [0x1a, padding, high, low] => {
                    let body = &file[..file.len() - 2];
                    if crc_x25(body) != u16::from_le_bytes([high, low]) {
                        return Err(frame("file checksum is wrong"));
                    }
                    return without_padding(messages, padding);
                }
                [0x1a, _, _, _, ..] => return Err(frame("bytes after the end of SML")),
                _ => return Err(frame("unknown SML escape sequence")),
            }
        } else if let [byte, after @ ..] = rest {
            messages.push(*byte);
            rest = after;
        } else {
            return Err(frame("does not end with 1b1b1b1b1a"));
        }
    }
}

fn without_padding(mut messages: Vec<u8>, padding: u8) -> Result<Vec<u8>, FormatFault> {
    let padding = usize::from(padding);
    let kept = messages.len().checked_sub(padding).filter(|_| padding < 4);
    let kept = kept.filter(|&kept| messages[kept..].iter().all(|&byte| byte == 0));
    messages.truncate(kept.ok_or(frame("padding is not 0 to 3 zero bytes"))?);
    Ok(messages)
}

/// CRC-16/X-25: reflected 0x1021, begun with and inverted by 0xffff.
fn crc_x25(bytes: &[u8]) -> u16 {
    let step = |crc: u16, _| (crc >> 1) ^ if crc & 1 == 1 { 0x8408 } else { 0 };
    let fold = |crc: u16, byte: &u8| (0..8).fold(crc ^ u16::from(*byte), step);
    !bytes.iter().fold(0xffff, fold)
}

/// Makes the checksums of a changed file fit, so that what lies behind them can be exercised.
pub(super) fn with_checksums(file: &[u8]) -> Option<Vec<u8>> {
    let mut file = file.to_vec();
    let (end, last) = (file.len().checked_sub(8)?, file.len() - 2);
    let mut begin = BEGIN.len();
    while begin < end && file[begin] != 0 {
        let rest = take_field(&file[begin..end], 0).ok()?.1.len();
        let checksum = (end - rest).checked_sub(4).filter(|&at| at > begin)?;
        let crc = crc_x25(&file[begin..checksum]).to_le_bytes();
        file[checksum + 1..checksum + 3].copy_from_slice(&crc);
        begin = end - rest;
    }
    let crc = crc_x25(&file[..last]).to_le_bytes();
    file[last..].copy_from_slice(&crc);
    Some(file)
}

/// Finds the one `GetList.Res` among the messages.
pub(super) fn list_response(messages: &[u8]) -> Result<ListResponse<'_>, FormatFault> {
    let mut rest = messages;
    let mut found = None;
    for _ in 0..SML_MESSAGES_MAX {
        if rest.is_empty() {
            return found.ok_or(frame("holds no list of values"));
        }
        let (message, after) = take_field(rest, 0)?;
        check_message(&message, &rest[..rest.len() - after.len()])?;
        rest = after;
        let list = list_body(&message).map(read_list).transpose()?;
        if list.is_some() && found.is_some() {
            return Err(frame("holds two lists of values"));
        }
        found = found.or(list);
    }
    if rest.is_empty() {
        return found.ok_or(frame("holds no list of values"));
    }
    Err(beyond(SML_MESSAGES_MAX, "messages"))
}

/// A message is its transaction, group, what to do on errors, body, checksum and an end mark.
fn check_message(message: &Field<'_>, bytes: &[u8]) -> Result<(), FormatFault> {
    let shape = "message is no list of six that ends with 00";
    let [.., checksum, end] = message.list::<6>().ok_or(frame(shape))?;
    // The end mark is the byte 00, which reads as an absent field of no length at all.
    if bytes.last() != Some(&0) || !end.is_absent() {
        return Err(frame(shape));
    }
    let (Some(checksum), true) = (checksum.unsigned(), bytes.len() > 4) else {
        return Err(frame("message checksum is no unsigned number"));
    };
    // A checksum below 256 may be written in one byte.
    let held = [4, 3].into_iter().any(|tail| {
        let begins = bytes[bytes.len() - tail] == 0x60 | (tail as u8 - 1);
        begins && u64::from(crc_x25(&bytes[..bytes.len() - tail]).swap_bytes()) == checksum
    });
    held.then_some(()).ok_or(frame("message checksum is wrong"))
}

fn list_body<'f, 'a>(message: &'f Field<'a>) -> Option<&'f Field<'a>> {
    let [_, _, _, body, _, _] = message.list::<6>()?;
    let [tag, body] = body.list::<2>()?;
    (tag.unsigned() == Some(GET_LIST_RESPONSE)).then_some(body)
}

fn read_list<'a>(body: &Field<'a>) -> Result<ListResponse<'a>, FormatFault> {
    let shape = frame("list of values is not a list of seven fields");
    let [_, server, name, sensor_time, entries, signature, _] = body.list::<7>().ok_or(shape)?;
    let octets = |field: &Field<'a>, fault| field.octets().ok_or(frame(fault));
    let entries = entries
        .any_list()
        .ok_or(frame("list of values has no entries"))?;
    Ok(ListResponse {
        server: octets(server, "server id is no octet string")?,
        name: octets(name, "list name is no octet string")?,
        sensor_time: sensor_time.clone(),
        signature: octets(signature, "list signature is no octet string")?,
        entries: entries.iter().map(read_entry).collect::<Result<_, _>>()?,
    })
}

fn read_entry<'a>(entry: &Field<'a>) -> Result<Entry<'a>, FormatFault> {
    let shape = "list entry is not a list of seven fields";
    let [name, status, time, unit, scaler, value, signature] =
        entry.list::<7>().ok_or(frame(shape))?;
    let name = name.octets().and_then(|name| name.try_into().ok());
    Ok(Entry {
        name: name.ok_or(frame("entry name is not six octets"))?,
        status: status.clone(),
        time: time.clone(),
        unit: unit.clone(),
        scaler: scaler.clone(),
        value: value.clone(),
        signature: signature
            .octets()
            .ok_or(frame("value signature is no octet string"))?,
    })
}

/// Reads one field off the front.
fn take_field(bytes: &[u8], depth: usize) -> Result<(Field<'_>, &[u8]), FormatFault> {
    let cut = || frame("field is cut off");
    let (kind, length, rest) = take_head(bytes)?;
    if kind == 7 {
        return take_list(rest, length, depth);
    }
    if length == 0 && bytes.first() == Some(&0) {
        return Ok((Field::Octets(&[]), rest));
    }
    // The length of what is no list counts its own type and length bytes.
    let length = length.checked_sub(bytes.len() - rest.len());
    let length = length.ok_or(frame("field is shorter than its head"))?;
    let (content, rest) = rest.split_at_checked(length).ok_or_else(cut)?;
    let field = match kind {
        0 => Field::Octets(content),
        4 if length == 1 => Field::Bool(content != [0]),
        5 if (1..=8).contains(&length) => Field::Signed(signed(content)),
        6 if (1..=8).contains(&length) => Field::Unsigned(unsigned(content)),
        _ => return Err(frame("field of an unknown type or width")),
    };
    Ok((field, rest))
}

fn take_list(
    mut rest: &[u8],
    length: usize,
    depth: usize,
) -> Result<(Field<'_>, &[u8]), FormatFault> {
    if depth == SML_DEPTH_MAX {
        return Err(beyond(SML_DEPTH_MAX, "lists within lists"));
    }
    if length > SML_LIST_MAX {
        return Err(beyond(SML_LIST_MAX, "list elements"));
    }
    let mut fields = Vec::with_capacity(length);
    for _ in 0..length {
        let (field, after) = take_field(rest, depth + 1)?;
        fields.push(field);
        rest = after;
    }
    Ok((Field::List(fields), rest))
}

/// Type and length; a set top bit says that the next byte holds four more bits of the length.
fn take_head(bytes: &[u8]) -> Result<(u8, usize, &[u8]), FormatFault> {
    let (&first, mut rest) = bytes.split_first().ok_or(frame("field is cut off"))?;
    let kind = first >> 4 & 7;
    let mut length = usize::from(first & 0x0f);
    let mut more = first & 0x80 != 0;
    let mut heads = 1;
    while more {
        let (&next, after) = rest.split_first().ok_or(frame("field is cut off"))?;
        // Sixteen bits are far beyond any record.
        if heads == 4 || next & 0x70 != 0 {
            return Err(frame("length is not 1 to 4 bytes of one type"));
        }
        length = length << 4 | usize::from(next & 0x0f);
        more = next & 0x80 != 0;
        rest = after;
        heads += 1;
    }
    Ok((kind, length, rest))
}

fn unsigned(content: &[u8]) -> u64 {
    content
        .iter()
        .fold(0, |sum, &byte| sum << 8 | u64::from(byte))
}

fn signed(content: &[u8]) -> i64 {
    let unused = 64 - 8 * content.len() as u32;
    i64::from_le_bytes((unsigned(content) << unused).to_le_bytes()) >> unused
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "what is wrong here fails the test")]
mod tests;
