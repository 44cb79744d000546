//! Glow: a packet of 80 octets with the energy that equipment gave to the grid in five minutes.
//!
//! `u32 equipment || u32 slot || u64 energy || r || s`, numbers least significant octet first.
//! Signed is Keccak-256 of `"EquipmentReport"` and the first 16 octets. The first report of a slot
//! counts; a different second one contradicts it. Keys are given as 32 octets of x, whose y is even.
//!
//! # Source
//! Glow, gca-backend, `glow/report.go`, `glow/timeslot.go` (MIT), read for facts.

use std::borrow::Cow;

use gridrig_curves::Scheme;
use gridrig_quantity::Energy;

use super::Format;
use super::octets::{octets_at, u32_le};
use crate::signed_record::{
    Counter, Measure, MeterTime, Prehash, SignatureEncoding, SignedPart, SignedRecord,
};
use crate::{ClockStatus, CounterContext, FormatFault};

/// Equipment reports on secp256k1.
pub(crate) static FORMAT: Format = Format {
    name: "glow",
    record_bytes_max: PACKET_BYTES,
    schemes: &[Scheme::EcdsaSecp256k1],
    profiles: &[],
    recognises: |received| received.len() == PACKET_BYTES,
    read,
};

const PACKET_BYTES: usize = 80;

/// Signed before every report, so that no other message reads as one.
const DOMAIN: &[u8] = b"EquipmentReport";

/// Beginning of slot 0, 2023-11-19. [UTC s]
const GENESIS_S: i64 = 1_700_352_000;

/// Length of a slot. [s]
const SLOT_S: i64 = 300;

fn read(received: &[u8]) -> Result<SignedRecord<'_>, FormatFault> {
    if received.len() != PACKET_BYTES {
        let found = format!("{} octets", received.len());
        return Err(FormatFault::value("packet", found, "80 octets"));
    }
    let (report, signature) = received.split_at(16);
    let slot = u32_le(report, 4);
    let start_s = GENESIS_S + i64::from(slot) * SLOT_S;
    // Energy that was consumed is written as a negative number.
    let energy = i64::from_le_bytes(octets_at(report, 8));
    let (from_grid, amount) = (energy < 0, energy.unsigned_abs());
    let amount = i64::try_from(amount).ok();
    let amount = amount.and_then(|amount| Energy::from_milliwh(amount).ok());
    let beyond = || FormatFault::value("energy", energy.to_string(), "within 10^15 mWh");
    let amount = amount.ok_or_else(beyond)?;
    Ok(SignedRecord {
        serial: Cow::Owned(u32_le(report, 0).to_string()),
        named_key: None,
        declared: None,
        signed: SignedPart {
            bytes: Cow::Owned([DOMAIN, report].concat()),
            prehash: Prehash::Keccak256,
            encoding: SignatureEncoding::Fixed,
            signature: Ok(Cow::Borrowed(signature)),
        },
        nested: Vec::new(),
        counter: Some(Counter {
            context: CounterContext::Slot,
            value: u64::from(slot),
        }),
        local: None,
        operating_s: None,
        time: MeterTime {
            utc_ms: (start_s + SLOT_S) * 1000,
            status: ClockStatus::Informative,
        },
        measure: Ok(Measure::Interval {
            start_ms: start_s * 1000,
            import: if from_grid { amount } else { Energy::ZERO },
            export: if from_grid { Energy::ZERO } else { amount },
        }),
        power: Vec::new(),
        status: Cow::Borrowed(""),
        contract: None,
        deviations: Vec::new(),
        informed_key: None,
    })
}
