//! ISA-EDL40-P: an SML list with the reading now, the reading when the contract was set, and two
//! signatures, one inside what the other signs.
//!
//! The outer signature covers a block of 320 octets that is put together from the list and holds
//! the inner one, which signs the register alone in an encoding that its maker has not published.
//! The outer one covers the same register, so nothing rests on the inner.
//!
//! # Source
//! As [`super::edl40`].

use std::borrow::Cow;

use gridrig_curves::Scheme;

use super::Format;
use super::edl40::{
    BLOCK_BYTES, Block, CONTRACT, contract_octets, integer, local_moment, local_time, needed,
    offset_deviation, server_id, unit_and_scaler, unsigned_le, utc_time,
};
use super::obis::{Direction, direction_of};
use super::octets::{octets_at, shown, u32_le};
use super::scaled::{one_register, scaled_energy};
use super::sml::{Entry, ListResponse, list_response, messages_of};
use crate::profile::UTC_OFFSET_UNSIGNED;
use crate::signed_record::{Counter, Prehash, SignatureEncoding, SignedPart, SignedRecord};
use crate::{CounterContext, FormatFault};

/// ISA-EDL40-P as an SML file.
pub(crate) static FORMAT: Format = Format {
    name: "isa-edl40-p",
    record_bytes_max: 4_096,
    schemes: &[Scheme::EcdsaP256],
    profiles: &[&UTC_OFFSET_UNSIGNED],
    recognises: |received| {
        let named = |window: &[u8]| window[0] == 7 && window[1..] == START;
        received.starts_with(&[0x1b; 4]) && received.windows(7).any(named)
    },
    read,
};

const ACTUAL: [u8; 6] = [1, 0, 1, 8, 0, 0xff];
const START: [u8; 6] = [1, 0, 1, 8, 0, 0x80];
const PAGINATION: [u8; 6] = [0x81, 0x80, 0xc7, 0xf0, 0x40, 0xff];
const STATION: [u8; 6] = [0x81, 0x80, 0x81, 0x61, 1, 0xff];

/// Length of a signature and its log index.
const SIGNATURE_BYTES: usize = 66;

fn read(received: &[u8]) -> Result<SignedRecord<'_>, FormatFault> {
    let messages = messages_of(received)?;
    let list = list_response(&messages)?;
    let outer = octets::<SIGNATURE_BYTES>(list.signature, "signature")?;
    let block = block_of(&list, &outer)?;
    let stated_s = match &list.sensor_time {
        time if time.is_absent() => None,
        time => Some(local_time(time, "sensor time")?.1),
    };
    let direction = direction_of(octets_at(&block, 15));
    if direction != Some(Direction::Import) {
        let found = hex::encode(&block[15..21]);
        return Err(FormatFault::value("OBIS", found, "0100010800ff"));
    }
    let value = i64::from_le_bytes(octets_at(&block, 23));
    let energy = scaled_energy(value, i8::from_le_bytes([block[22]]), block[21])?;
    Ok(SignedRecord {
        serial: Cow::Owned(hex::encode(&block[..10])),
        named_key: None,
        declared: None,
        nested: Vec::new(),
        counter: Some(Counter {
            context: CounterContext::Pagination,
            value: u64::from(u32_le(&block, 274)),
        }),
        operating_s: None,
        time: utc_time(u32_le(&block, 10), stated_s),
        local: Some(local_moment(u32_le(&block, 10), stated_s)),
        measure: energy.map(|energy| one_register(Direction::Import, energy)),
        power: Vec::new(),
        status: Cow::Owned(hex::encode([block[14]])),
        contract: shown(&block[99..227]),
        deviations: offset_deviation(stated_s),
        informed_key: None,
        signed: SignedPart {
            bytes: Cow::Owned(block.to_vec()),
            prehash: Prehash::Sha256,
            encoding: SignatureEncoding::Fixed,
            signature: Ok(Cow::Owned(outer[..64].to_vec())),
        },
    })
}

fn block_of(
    list: &ListResponse<'_>,
    outer: &[u8; SIGNATURE_BYTES],
) -> Result<[u8; BLOCK_BYTES], FormatFault> {
    let actual = needed(list, ACTUAL, "1.8.0")?;
    let start = needed(list, START, "1.8.0 at the start")?;
    let contract = needed(list, CONTRACT, "contract")?;
    let station = needed(list, STATION, "station")?;
    let station = station.value.octets().unwrap_or_default();
    let pagination = needed(list, PAGINATION, "pagination")?;
    let mut block = Block::new();
    block.put(server_id(list)?);
    block.put(&local_time(&actual.time, "time of the register")?.0);
    put_register(&mut block, actual)?;
    block.put(&outer[64..]);
    block.put(&octets::<SIGNATURE_BYTES>(
        actual.signature,
        "signature of the register",
    )?);
    block.put(&contract_octets(contract)?);
    block.put(&local_time(&start.time, "time at the start")?.0);
    block.put(&octets::<20>(station, "station")?);
    put_register(&mut block, start)?;
    block.put(&octets::<6>(list.name, "list name")?);
    block.put(&unsigned_le(
        integer(&pagination.value, "pagination")?,
        "pagination",
    )?);
    Ok(block.octets)
}

/// Status, code, unit, scaler and value of a register, 17 octets.
fn put_register(block: &mut Block, entry: &Entry<'_>) -> Result<(), FormatFault> {
    let status = entry.status.unsigned();
    let status = status.ok_or(FormatFault::Missing { field: "status" })?;
    block.put(&status.to_le_bytes()[..1]);
    block.put(&entry.name);
    block.put(&unit_and_scaler(entry)?);
    block.put(&integer(&entry.value, "register")?.to_le_bytes());
    Ok(())
}

fn octets<const N: usize>(octets: &[u8], field: &'static str) -> Result<[u8; N], FormatFault> {
    let found = || format!("{} octets", octets.len());
    let expected = "octets of the length that is signed";
    octets
        .try_into()
        .map_err(|_| FormatFault::value(field, found(), expected))
}
