//! Snapshot of a Bauer BSM meter: SunSpec model 64901 as its registers were read.
//!
//! A record is the model from its id on, each register as two octets, most significant first.
//! Signed are 17 of its points in a fixed order: a number as 32 bits, the scale factor that goes
//! with it and its DLMS unit; a text as 32 bits of length and its octets. They are put together
//! here straight from the registers.
//!
//! # Source
//! chargeIT mobility, bsm-python, `smdx_64901.xml` and `doc/examples/snapshots.md` (Apache-2.0),
//! read for facts and checked against its wire traces.

use std::borrow::Cow;

use gridrig_curves::Scheme;

use super::Format;
use super::obis::Direction;
use super::octets::{octets_at, shown};
use super::scaled::{one_register, scaled_energy};
use crate::signed_record::{
    Counter, Measure, MeterTime, PowerSample, Prehash, SignatureEncoding, SignedPart, SignedRecord,
};
use crate::{ClockStatus, CounterContext, FormatFault, MeteringError};

/// BSM snapshots on P-256.
pub(crate) static FORMAT: Format = Format {
    name: "bsm-snapshot",
    record_bytes_max: 1_024,
    schemes: &[Scheme::EcdsaP256],
    profiles: &[],
    recognises: |received| received.starts_with(&MODEL.to_be_bytes()),
    read,
};

/// Id of the model, 64901.
const MODEL: u16 = 0xfd85;

/// Registers of the model before those of the signature, without id and length.
const FIXED_REGISTERS: usize = 204;

/// Events by which the meter takes its word back: a sensor missing (7), a fatal error (16), and of
/// the communication module a failed start (17), other firmware (18), development mode (19).
const EVENTS_NOT_GOOD: u32 = 1 << 7 | 1 << 16 | 1 << 17 | 1 << 18 | 1 << 19;

/// Units of the signed numbers, as DLMS codes them.
const UNIT_MINUTE: u8 = 6;
const UNIT_SECOND: u8 = 7;
const UNIT_WATT: u8 = 27;
const UNIT_WATT_HOUR: u8 = 30;
const UNIT_NONE: u8 = 255;

/// The registers of the model, without id and length.
struct Registers<'a>(&'a [u8]);

impl<'a> Registers<'a> {
    fn u16(&self, at: usize) -> u16 {
        u16::from_be_bytes(octets_at(self.0, 2 * at))
    }

    fn i16(&self, at: usize) -> i16 {
        i16::from_be_bytes(octets_at(self.0, 2 * at))
    }

    fn u32(&self, at: usize) -> u32 {
        u32::from_be_bytes(octets_at(self.0, 2 * at))
    }

    /// A text fills its registers with zero octets.
    fn text(&self, at: usize, registers: usize) -> &'a [u8] {
        let field = &self.0[2 * at..2 * (at + registers)];
        let end = field.iter().rposition(|&octet| octet != 0);
        &field[..end.map_or(0, |last| last + 1)]
    }

    fn scale_factor(&self, at: usize, field: &'static str) -> Result<i8, FormatFault> {
        let factor = self.i16(at);
        let within = |factor: &i8| (-10..=10).contains(factor);
        let read = i8::try_from(factor).ok().filter(within);
        read.ok_or_else(|| FormatFault::value(field, factor.to_string(), "-10 to 10"))
    }
}

fn read(received: &[u8]) -> Result<SignedRecord<'_>, FormatFault> {
    let registers = registers_of(received)?;
    let (energy_scale, power_scale) = (
        registers.scale_factor(6, "Wh_SF")?,
        registers.scale_factor(8, "W_SF")?,
    );
    if registers.u16(1) != 0 {
        let found = registers.u16(1).to_string();
        return Err(FormatFault::value("St", found, "0, a valid snapshot"));
    }
    if registers.u16(0) > 4 {
        return Err(FormatFault::value(
            "Typ",
            registers.u16(0).to_string(),
            "0 to 4",
        ));
    }
    let serial = std::str::from_utf8(registers.text(9, 8))
        .map_err(|fault| FormatFault::structure("MA1", fault))?;
    if serial.is_empty() {
        return Err(FormatFault::Missing { field: "MA1" });
    }
    let energy = scaled_energy(i64::from(registers.u32(4)), energy_scale, UNIT_WATT_HOUR)?;
    let events = registers.u32(200);
    let time_ms = i64::from(registers.u32(21)) * 1000;
    Ok(SignedRecord {
        serial: Cow::Borrowed(serial),
        named_key: None,
        declared: None,
        nested: Vec::new(),
        counter: Some(Counter {
            context: CounterContext::Response,
            value: u64::from(registers.u32(17)),
        }),
        local: None,
        operating_s: Some(u64::from(registers.u32(19))),
        time: MeterTime {
            utc_ms: time_ms,
            // The count of how often the clock was set; the meter's OCMF writes S once it was.
            status: if registers.u32(24) == 0 {
                ClockStatus::Unsynchronised
            } else {
                ClockStatus::Synchronised
            },
        },
        measure: energy.and_then(|energy| measure(events, energy)),
        power: vec![PowerSample {
            time_ms,
            power_milliwatt: power_milliwatt(registers.i16(7), power_scale)?,
        }],
        status: Cow::Owned(format!("{events:08x}")),
        contract: shown(registers.text(30, 70)),
        deviations: Vec::new(),
        informed_key: None,
        signed: SignedPart {
            bytes: Cow::Owned(signed_bytes(&registers, energy_scale, power_scale)),
            prehash: Prehash::Sha256,
            encoding: SignatureEncoding::Der,
            signature: signature_of(&registers).map(Cow::Borrowed),
        },
    })
}

/// Takes id and length away; the model has to be there whole.
fn registers_of(received: &[u8]) -> Result<Registers<'_>, FormatFault> {
    let fault = "not model 64901, its length and as many registers";
    let whole = || {
        let (head, model) = received.split_at_checked(4)?;
        let length = usize::from(u16::from_be_bytes(octets_at(head, 2)));
        let whole = head[..2] == MODEL.to_be_bytes() && model.len() == 2 * length;
        (whole && length >= FIXED_REGISTERS).then_some(Registers(model))
    };
    whole().ok_or_else(|| FormatFault::structure("model", fault))
}

fn measure(events: u32, energy: gridrig_quantity::Energy) -> Result<Measure, MeteringError> {
    if events & EVENTS_NOT_GOOD != 0 {
        let status = format!("{events:08x}");
        return Err(MeteringError::StatusNotGood { status });
    }
    Ok(one_register(Direction::Import, energy))
}

/// Power into the grid; the meter counts what is taken from it.
fn power_milliwatt(taken: i16, scale: i8) -> Result<i64, FormatFault> {
    let unit = u32::try_from(i32::from(scale) + 3).map(|zeros| 10_i64.pow(zeros));
    let found = || format!("{taken}e{scale}");
    let unit = unit.map_err(|_| FormatFault::value("W", found(), "whole milliwatts"))?;
    Ok(-i64::from(taken) * unit)
}

/// The signature fills `BSig` octets of `NSig` registers.
fn signature_of<'a>(registers: &Registers<'a>) -> Result<&'a [u8], String> {
    let (room, length) = (registers.u16(202), usize::from(registers.u16(203)));
    let octets = &registers.0[2 * FIXED_REGISTERS..];
    if 2 * usize::from(room) != octets.len() || length > octets.len() {
        return Err(format!(
            "{length} octets in {room} registers do not fill the model"
        ));
    }
    let (signature, rest) = octets.split_at(length);
    let padded = rest.iter().all(|&octet| octet == 0);
    padded
        .then_some(signature)
        .ok_or_else(|| "registers after the signature are not zero".to_owned())
}

/// Appends points in the order in which they are signed.
fn signed_bytes(registers: &Registers<'_>, energy_scale: i8, power_scale: i8) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(512);
    let number = |bytes: &mut Vec<u8>, value: [u8; 4], scale: i8, unit| {
        bytes.extend_from_slice(&value);
        bytes.extend_from_slice(&[scale.to_le_bytes()[0], unit]);
    };
    let unsigned = |at| u32::from(registers.u16(at)).to_be_bytes();
    let signed = |at| i32::from(registers.i16(at)).to_be_bytes();
    let double = |at| registers.u32(at).to_be_bytes();
    let text = |bytes: &mut Vec<u8>, at, length| {
        let text = registers.text(at, length);
        bytes.extend_from_slice(&(text.len() as u32).to_be_bytes());
        bytes.extend_from_slice(text);
    };
    number(&mut bytes, unsigned(0), 0, UNIT_NONE);
    number(&mut bytes, double(2), energy_scale, UNIT_WATT_HOUR);
    number(&mut bytes, double(4), energy_scale, UNIT_WATT_HOUR);
    number(&mut bytes, signed(7), power_scale, UNIT_WATT);
    text(&mut bytes, 9, 8);
    number(&mut bytes, double(17), 0, UNIT_NONE);
    number(&mut bytes, double(19), 0, UNIT_SECOND);
    number(&mut bytes, double(21), 0, UNIT_SECOND);
    number(&mut bytes, signed(23), 0, UNIT_MINUTE);
    number(&mut bytes, double(24), 0, UNIT_NONE);
    number(&mut bytes, double(26), 0, UNIT_SECOND);
    number(&mut bytes, unsigned(28), 0, UNIT_NONE);
    number(&mut bytes, unsigned(29), 0, UNIT_NONE);
    text(&mut bytes, 30, 70);
    text(&mut bytes, 100, 50);
    text(&mut bytes, 150, 50);
    number(&mut bytes, double(200), 0, UNIT_NONE);
    bytes
}
