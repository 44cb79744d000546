//! EDL40: an SML list of values with one signed reading of a charging meter.
//!
//! What is signed is a block of 320 octets that the meter does not send. It is put together here
//! from the octets that were received, and the reading is then read out of the block, so that
//! nothing beside it can enter. EMH's eMOC fills the same block, takes P-256 for secp192r1 and
//! another selection of its status bits.
//!
//! The block holds local time. The offset from UTC stands beside it in the list, unsigned; a record
//! that states one needs [`UTC_OFFSET_UNSIGNED`], or a key that its clock is bound to.
//!
//! # Source
//! Layout, status bits and values: S.A.F.E. e.V. transparenzsoftware 1.4.1 (Apache-2.0), read for
//! facts and checked against signatures of genuine meters.

use std::borrow::Cow;

use gridrig_curves::Scheme;

use super::obis::direction_of;
use super::octets::{octets_at, shown, u32_le};
use super::scaled::{one_register, scaled_energy};
use super::sml::{Entry, Field, ListResponse, list_response, messages_of};
use super::{Format, isa_edl40};
use crate::local_time::LocalMoment;
use crate::profile::{Profile, UTC_OFFSET_UNSIGNED};
use crate::signed_record::{
    Counter, MeterTime, Prehash, SignatureEncoding, SignedPart, SignedRecord,
};
use crate::{ClockStatus, CounterContext, FormatFault};

/// EDL40 with either curve, as an SML file.
pub(crate) static FORMAT: Format = Format {
    name: "edl40",
    record_bytes_max: 4_096,
    schemes: &[Scheme::EcdsaSecp192r1, Scheme::EcdsaP256],
    profiles: &[&UTC_OFFSET_UNSIGNED],
    recognises: |received| {
        received.starts_with(&[0x1b; 4]) && !(isa_edl40::FORMAT.recognises)(received)
    },
    read,
};

/// Length of the signed block.
pub(super) const BLOCK_BYTES: usize = 320;

/// Length of the contract's name in the block.
pub(super) const CONTRACT_BYTES: usize = 128;

/// Farthest offset from UTC, either way. [min]
const OFFSET_MIN_MAX: i64 = 14 * 60;

const IMPORT: [u8; 6] = [1, 0, 1, 17, 0, 255];
const EXPORT: [u8; 6] = [1, 0, 2, 17, 0, 255];
const SECONDS_INDEX: [u8; 6] = [0x81, 0, 0x60, 8, 0, 1];
const PAGINATION: [u8; 6] = [0x81, 0x80, 0x81, 0x71, 1, 0xff];
pub(super) const CONTRACT: [u8; 6] = [0x81, 0x82, 0x81, 0x54, 1, 0xff];
const HISTORICAL: [u8; 6] = [1, 0, 1, 17, 0, 100];
const HISTORICAL_COMPENSATED: [u8; 6] = [1, 0, 1, 17, 0, 200];
const LINE_RESISTANCE: [u8; 6] = [0, 0xaf, b'l', b'l', b'r', 0xff];
const STOPWATCH: [u8; 6] = [0, 0xaf, b'd', b'u', b'r', 0xff];
const PRICE: [u8; 6] = [0, 0xaf, b'p', b'r', b'c', 0xff];
const SIGNATURE_VERSION: [u8; 6] = [0, 0xaf, b's', b'v', b'r', 0xff];

/// Bits of eMOC's status word, by their place in the signed octet.
const EMOC_STATUS: [(u8, u8); 6] = [(0, 17), (3, 31), (4, 16), (5, 11), (6, 9), (7, 8)];

fn read(received: &[u8]) -> Result<SignedRecord<'_>, FormatFault> {
    let messages = messages_of(received)?;
    let list = list_response(&messages)?;
    // r, s and the two octets of the log index, which are signed too.
    let (signature, log_index) = list.signature.split_at(list.signature.len().max(2) - 2);
    let emoc = match signature.len() {
        48 => false,
        64 => true,
        other => {
            let found = format!("{other} octets");
            let expected = "48 or 64 octets and a log index";
            return Err(FormatFault::value("signature", found, expected));
        }
    };
    let (block, offset_s) = block_of(&list, log_index, emoc)?;
    read_block(
        Cow::Owned(block.to_vec()),
        Cow::Owned(signature.to_vec()),
        Some(offset_s),
    )
}

/// Puts the signed block together, and takes the offset of its time from UTC.
fn block_of(
    list: &ListResponse<'_>,
    log_index: &[u8],
    emoc: bool,
) -> Result<([u8; BLOCK_BYTES], i64), FormatFault> {
    let import = entry_of(list, IMPORT)?;
    let value = match (import, entry_of(list, EXPORT)?) {
        (Some(value), None) | (None, Some(value)) => value,
        (None, None) => return Err(FormatFault::Missing { field: "1.17.0" }),
        (Some(_), Some(_)) => {
            return Err(FormatFault::Repeated {
                field: "signed register",
            });
        }
    };
    let contract = needed(list, CONTRACT, "contract")?;
    let (time, offset_s) = local_time(&value.time, "time of the register")?;
    let number = |name, field| number_of(list, name, field);
    let version = number(SIGNATURE_VERSION, "signature version")?;
    if !matches!(version, 0 | 4) {
        let found = version.to_string();
        return Err(FormatFault::value("signature version", found, "4"));
    }
    let mut block = Block::new();
    block.put(server_id(list)?);
    block.put(&time);
    block.put(&[status_octet(&value.status, emoc)?]);
    block.put(&unsigned_le(seconds_index(list)?, "seconds index")?);
    let pagination = needed(list, PAGINATION, "pagination")?;
    block.put(&unsigned_le(
        integer(&pagination.value, "pagination")?,
        "pagination",
    )?);
    block.put(&value.name);
    block.put(&unit_and_scaler(value)?);
    block.put(&integer(&value.value, "register")?.to_le_bytes());
    block.put(log_index);
    block.put(&contract_octets(contract)?);
    block.put(&local_time(&contract.time, "time of the contract")?.0);
    block.put(&number(HISTORICAL, "historical value")?.to_le_bytes());
    block.put(&number(HISTORICAL_COMPENSATED, "compensated value")?.to_le_bytes());
    block.put(&narrow::<u16>(number(LINE_RESISTANCE, "line resistance")?)?.to_le_bytes());
    block.put(&unsigned_le(number(STOPWATCH, "stopwatch")?, "stopwatch")?);
    block.put(&narrow::<u16>(number(PRICE, "price")?)?.to_be_bytes());
    Ok((block.octets, offset_s))
}

/// Reads a block that is signed; shared by those who send it as it is.
pub(super) fn read_block<'a>(
    block: Cow<'a, [u8]>,
    signature: Cow<'a, [u8]>,
    stated_s: Option<i64>,
) -> Result<SignedRecord<'a>, FormatFault> {
    if block.len() != BLOCK_BYTES {
        let found = format!("{} octets", block.len());
        return Err(FormatFault::value("signed block", found, "320 octets"));
    }
    let direction = direction_of(octets_at(&block, 23));
    let code = || hex::encode(&block[23..29]);
    let expected = "an import or export register of electricity";
    let direction = direction.ok_or_else(|| FormatFault::value("OBIS", code(), expected))?;
    let value = i64::from_le_bytes(octets_at(&block, 31));
    let energy = scaled_energy(value, i8::from_le_bytes([block[30]]), block[29])?;
    Ok(SignedRecord {
        serial: Cow::Owned(hex::encode(&block[..10])),
        named_key: None,
        declared: None,
        nested: Vec::new(),
        counter: Some(Counter {
            context: CounterContext::Pagination,
            value: u64::from(u32_le(&block, 19)),
        }),
        operating_s: Some(u64::from(u32_le(&block, 15))),
        time: utc_time(u32_le(&block, 10), stated_s),
        local: Some(local_moment(u32_le(&block, 10), stated_s)),
        measure: energy.map(|energy| one_register(direction, energy)),
        power: Vec::new(),
        status: Cow::Owned(hex::encode([block[14]])),
        contract: shown(&block[41..41 + CONTRACT_BYTES]),
        deviations: offset_deviation(stated_s),
        informed_key: None,
        signed: SignedPart {
            bytes: block,
            prehash: Prehash::Sha256,
            encoding: SignatureEncoding::Fixed,
            signature: Ok(signature),
        },
    })
}

/// Brings signed local time to UTC as the record states it; a time without an offset is taken as
/// UTC. The format does not say how far the meter trusts its clock.
pub(super) fn utc_time(local_s: u32, stated_s: Option<i64>) -> MeterTime {
    MeterTime {
        utc_ms: (i64::from(local_s) - stated_s.unwrap_or(0)) * 1000,
        status: ClockStatus::Informative,
    }
}

pub(super) fn local_moment(local_s: u32, stated_s: Option<i64>) -> LocalMoment {
    LocalMoment {
        local_s: i64::from(local_s),
        stated_s,
    }
}

pub(super) fn offset_deviation(stated_s: Option<i64>) -> Vec<&'static Profile> {
    // An offset of zero is as little signed as any other.
    stated_s.map(|_| &UTC_OFFSET_UNSIGNED).into_iter().collect()
}

/// A signed block while it is filled from the front; what is not filled stays zero.
pub(super) struct Block {
    pub(super) octets: [u8; BLOCK_BYTES],
    filled: usize,
}

impl Block {
    pub(super) fn new() -> Self {
        Self {
            octets: [0; BLOCK_BYTES],
            filled: 0,
        }
    }

    /// Appends octets; the parts of a block are of fixed lengths that fill it at most.
    pub(super) fn put(&mut self, octets: &[u8]) {
        let end = self.filled + octets.len();
        self.octets[self.filled..end].copy_from_slice(octets);
        self.filled = end;
    }
}

/// Finds an entry of the list by its name, which names one at most.
pub(super) fn entry_of<'l, 'a>(
    list: &'l ListResponse<'a>,
    name: [u8; 6],
) -> Result<Option<&'l Entry<'a>>, FormatFault> {
    let mut named = list.entries.iter().filter(|entry| entry.name == name);
    let found = named.next();
    match named.next() {
        None => Ok(found),
        Some(_) => Err(FormatFault::Repeated {
            field: "list entry",
        }),
    }
}

pub(super) fn needed<'l, 'a>(
    list: &'l ListResponse<'a>,
    name: [u8; 6],
    field: &'static str,
) -> Result<&'l Entry<'a>, FormatFault> {
    entry_of(list, name)?.ok_or(FormatFault::Missing { field })
}

pub(super) fn server_id<'a>(list: &ListResponse<'a>) -> Result<&'a [u8], FormatFault> {
    let of_ten = list.server.len() == 10;
    let found = || hex::encode(list.server);
    of_ten
        .then_some(list.server)
        .ok_or_else(|| FormatFault::value("server id", found(), "ten octets"))
}

/// The contract's name, filled up with zero octets.
pub(super) fn contract_octets(entry: &Entry<'_>) -> Result<[u8; CONTRACT_BYTES], FormatFault> {
    let mut filled = [0; CONTRACT_BYTES];
    let name = entry
        .value
        .octets()
        .ok_or(FormatFault::Missing { field: "contract" })?;
    let place = filled.get_mut(..name.len());
    let found = || format!("{} octets", name.len());
    place
        .ok_or_else(|| FormatFault::value("contract", found(), "at most 128 octets"))?
        .copy_from_slice(name);
    Ok(filled)
}

pub(super) fn unit_and_scaler(entry: &Entry<'_>) -> Result<[u8; 2], FormatFault> {
    let unit: u8 = narrow(integer(&entry.unit, "unit")?)?;
    let scaler: i8 = narrow(integer(&entry.scaler, "scaler")?)?;
    Ok([unit, scaler.to_le_bytes()[0]])
}

pub(super) fn integer(field: &Field<'_>, name: &'static str) -> Result<i64, FormatFault> {
    let expected = "a whole number";
    field
        .integer()
        .ok_or_else(|| FormatFault::value(name, format!("{field:?}"), expected))
}

/// Four octets, least significant first, of a number that fits.
pub(super) fn unsigned_le(number: i64, name: &'static str) -> Result<[u8; 4], FormatFault> {
    let fits = u32::try_from(number).map(u32::to_le_bytes);
    fits.map_err(|_| FormatFault::value(name, number.to_string(), "an unsigned number of 32 bits"))
}

fn narrow<T: TryFrom<i64>>(number: i64) -> Result<T, FormatFault> {
    let expected = "a number of the width that is signed";
    T::try_from(number).map_err(|_| FormatFault::value("number", number.to_string(), expected))
}

/// The number of an entry, or zero, as which the block holds what is left out.
fn number_of(
    list: &ListResponse<'_>,
    name: [u8; 6],
    field: &'static str,
) -> Result<i64, FormatFault> {
    entry_of(list, name)?.map_or(Ok(0), |entry| integer(&entry.value, field))
}

fn status_octet(status: &Field<'_>, emoc: bool) -> Result<u8, FormatFault> {
    let found = || format!("{status:?}");
    let word = status
        .unsigned()
        .ok_or_else(|| FormatFault::value("status", found(), "an unsigned number"))?;
    if emoc {
        let bit = |octet, &(to, from): &(u8, u8)| octet | u8::from(word >> from & 1 == 1) << to;
        return Ok(EMOC_STATUS.iter().fold(0, bit));
    }
    Ok(word.to_le_bytes()[0])
}

/// A list whose first element is the choice 1 for a time, itself the choice 1 for a second index.
fn seconds_index(list: &ListResponse<'_>) -> Result<i64, FormatFault> {
    let entry = needed(list, SECONDS_INDEX, "seconds index")?;
    let index = || chosen_first(chosen_first(&entry.value)?)?.integer();
    let found = || format!("{:?}", entry.value);
    index().ok_or_else(|| FormatFault::value("seconds index", found(), "a time as an index"))
}

/// Reads a time into four octets of local time, and the offset that makes it local. [s]
///
/// Choice 2 is a number of seconds; choice 3 is one in UTC, its offset and that of the season.
pub(super) fn local_time(
    time: &Field<'_>,
    name: &'static str,
) -> Result<([u8; 4], i64), FormatFault> {
    let read = || {
        let [choice, time] = time.list::<2>()?;
        match choice.unsigned()? {
            2 => Some((time.integer()?, 0)),
            3 => {
                let [utc, zone, season] = time.list::<3>()?;
                let offset_min = zone.integer()?.checked_add(season.integer()?)?;
                let bounded = offset_min.abs() <= OFFSET_MIN_MAX;
                bounded.then_some((utc.integer()?, offset_min * 60))
            }
            _ => None,
        }
    };
    let found = || format!("{time:?}");
    let expected = "seconds, or seconds and an offset within 14 hours";
    let (utc_s, offset_s) = read().ok_or_else(|| FormatFault::value(name, found(), expected))?;
    Ok((unsigned_le(utc_s.saturating_add(offset_s), name)?, offset_s))
}

/// What the first of several choices holds.
fn chosen_first<'f, 'a>(field: &'f Field<'a>) -> Option<&'f Field<'a>> {
    let [choice, chosen] = field.list::<2>()?;
    (choice.unsigned() == Some(1)).then_some(chosen)
}
