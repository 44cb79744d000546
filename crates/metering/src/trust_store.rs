//! Who is believed: the enrolled keys, by what their meters call themselves.

use std::collections::BTreeMap;
use std::sync::Arc;

use gridrig_curves::{KeyIndex, KeyRing, RingFault, Scheme, TableSize, VerifyingKey};

use crate::formats::Format;
use crate::key_record::{KeyRecord, PlausibleLimits, StartRegisters, check_words, read_key};
use crate::profile::{Profile, UTC_OFFSET_UNSIGNED};
use crate::signed_record::SignedRecord;
use crate::{EnrolmentError, LocalTime, MeteringError};

/// What the tables of all keys may take together. [bytes]
pub const TABLE_BYTES_MAX: usize = 8 << 30;

/// Keys that get the largest table, and keys that get at least a medium one while half of the memory
/// is left to those after them, in the order of enrolment: a town is served fastest, a country still
/// fits. A table is computed, and takes its memory, when its key first signs.
const KEYS_LARGE: usize = 4_096;
const KEYS_MEDIUM: usize = 100_000;

/// A key that passed enrolment, and what the trust store binds to it.
#[derive(Debug, Clone)]
pub(crate) struct Enrolled {
    pub(crate) meter: Arc<str>,
    pub(crate) serial: Arc<str>,
    /// Place of the meter's name among all names.
    pub(crate) meter_index: u32,
    /// Place of the device, a meter with one serial number, among all devices.
    pub(crate) device: u32,
    pub(crate) key: KeyIndex,
    pub(crate) key_id: [u8; 32],
    pub(crate) scheme: Scheme,
    pub(crate) profiles: Vec<&'static Profile>,
    pub(crate) start: Option<StartRegisters>,
    pub(crate) limits: PlausibleLimits,
    pub(crate) local_time: Option<LocalTime>,
    format: Option<&'static Format>,
    from_s: i64,
    to_s: i64,
    arrives_by_s: Option<i64>,
    revoked_at_s: Option<i64>,
}

impl Enrolled {
    /// A key that is believed always and bears nothing.
    #[cfg(test)]
    pub(crate) fn for_tests(device: u32, key: KeyIndex, scheme: Scheme) -> Self {
        Self {
            meter: "meter".into(),
            serial: "serial".into(),
            meter_index: 0,
            device,
            key,
            key_id: [0; 32],
            scheme,
            profiles: Vec::new(),
            start: None,
            limits: PlausibleLimits::default(),
            local_time: None,
            format: None,
            from_s: i64::MIN,
            to_s: i64::MAX,
            arrives_by_s: None,
            revoked_at_s: None,
        }
    }

    /// Tells whether the key may sign records of a format.
    fn signs(&self, format: &Format) -> bool {
        self.format.is_none_or(|only| only.name == format.name)
    }

    /// Asks whether a record signed at one time may arrive at another.
    pub(crate) fn check_arrival(&self, time_s: i64, at_s: i64) -> Result<(), MeteringError> {
        let serial = || self.serial.as_ref().to_owned();
        let revoked = self.revoked_at_s;
        if let Some(revoked_at_s) = revoked.filter(|&from_s| time_s >= from_s || at_s >= from_s) {
            let serial = serial();
            return Err(MeteringError::KeyRevoked {
                serial,
                revoked_at_s,
            });
        }
        if let Some(arrives_by_s) = self.arrives_by_s.filter(|&from_s| at_s >= from_s) {
            let serial = serial();
            return Err(MeteringError::KeyRetired {
                serial,
                arrives_by_s,
            });
        }
        Ok(())
    }

    /// Says when a record was made by the clock bound to the key, or else by the record alone; none
    /// if that clock does not tell. [UTC ms]
    fn time_ms(&self, record: &SignedRecord<'_>) -> Option<i64> {
        match (self.local_time, record.local) {
            (Some(clock), Some(moment)) => clock.utc_s(moment).map(|utc_s| utc_s * 1000),
            _ => Some(record.time.utc_ms),
        }
    }

    /// Tells whether a deviation is borne for the key.
    pub(crate) fn bears(&self, profile: &Profile) -> bool {
        self.is_settled(profile) || self.profiles.iter().any(|borne| borne.name == profile.name)
    }

    /// Tells whether what is bound to the key leaves nothing of a deviation to be borne.
    pub(crate) fn is_settled(&self, profile: &Profile) -> bool {
        self.local_time.is_some() && profile.name == UTC_OFFSET_UNSIGNED.name
    }
}

/// The enrolled keys and their ring.
#[derive(Debug, Clone)]
pub(crate) struct TrustStore {
    pub(crate) ring: KeyRing,
    keys: Vec<Enrolled>,
    by_serial: BTreeMap<Arc<str>, Vec<u32>>,
    by_id: BTreeMap<[u8; 32], u32>,
    meters: BTreeMap<Arc<str>, Vec<u32>>,
    meter_names: Vec<Arc<str>>,
    devices: BTreeMap<(u32, Arc<str>), u32>,
}

impl Default for TrustStore {
    fn default() -> Self {
        Self {
            ring: KeyRing::new(TABLE_BYTES_MAX),
            keys: Vec::new(),
            by_serial: BTreeMap::new(),
            by_id: BTreeMap::new(),
            meters: BTreeMap::new(),
            meter_names: Vec::new(),
            devices: BTreeMap::new(),
        }
    }
}

impl TrustStore {
    /// Enrols a key, or says what is wrong with it.
    pub(crate) fn enrol(&mut self, record: KeyRecord) -> Result<(), EnrolmentError> {
        let (format, scheme, profiles) = check_words(&record)?;
        let meter = || record.meter.clone();
        let key = read_key(&record, scheme).map_err(|fault| EnrolmentError::Key {
            meter: meter(),
            fault,
        })?;
        self.check_place(&record, format, &key)?;
        let key_id = key.id();
        let key = self
            .add_to_ring(key)
            .map_err(|fault| EnrolmentError::Room {
                meter: meter(),
                fault,
            })?;
        let place = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let index = place(self.keys.len());
        let name: Arc<str> = record.meter.as_str().into();
        let serial: Arc<str> = record.serial.as_str().into();
        let own = self.meters.entry(name.clone()).or_default();
        let meter_index = match own.first() {
            Some(&first) => self.keys[first as usize].meter_index,
            None => {
                self.meter_names.push(name.clone());
                place(self.meter_names.len() - 1)
            }
        };
        own.push(index);
        let devices = place(self.devices.len());
        let device = (meter_index, serial.clone());
        let device = *self.devices.entry(device).or_insert(devices);
        self.by_serial
            .entry(serial.clone())
            .or_default()
            .push(index);
        self.by_id.insert(key_id, index);
        self.keys.push(Enrolled {
            meter: name,
            serial,
            meter_index,
            device,
            key,
            key_id,
            scheme,
            profiles,
            start: record.start,
            limits: record.limits,
            local_time: record.local_time,
            format,
            from_s: record.valid_from_s,
            to_s: record.valid_to_s.unwrap_or(i64::MAX),
            arrives_by_s: record.arrives_by_s,
            revoked_at_s: record.revoked_at_s,
        });
        Ok(())
    }

    /// Checks a new key against those enrolled before.
    fn check_place(
        &self,
        record: &KeyRecord,
        format: Option<&'static Format>,
        key: &VerifyingKey,
    ) -> Result<(), EnrolmentError> {
        let (from_s, to_s) = (record.valid_from_s, record.valid_to_s.unwrap_or(i64::MAX));
        let meter = || record.meter.clone();
        if from_s >= to_s {
            let meter = meter();
            return Err(EnrolmentError::Window {
                meter,
                from_s,
                to_s,
            });
        }
        if let Some(&other) = self.by_id.get(&key.id()) {
            let other = self.keys[other as usize].meter.as_ref().to_owned();
            return Err(EnrolmentError::KeyRepeated {
                meter: meter(),
                other,
            });
        }
        let of = |places: Option<&Vec<u32>>| -> Vec<&Enrolled> {
            let places = places.map_or(&[][..], Vec::as_slice);
            places
                .iter()
                .map(|&place| &self.keys[place as usize])
                .collect()
        };
        let meets = |other: &&&Enrolled| match (format, other.format) {
            (Some(own), Some(other)) => own.name == other.name,
            _ => true,
        };
        let same_serial = of(self.by_serial.get(record.serial.as_str()));
        let mut same_serial = same_serial.iter().filter(meets);
        if let Some(other) = same_serial.find(|other| *other.meter != *record.meter) {
            return Err(EnrolmentError::SerialTaken {
                meter: meter(),
                serial: record.serial.clone(),
                other: other.meter.as_ref().to_owned(),
            });
        }
        let same_meter = of(self.meters.get(record.meter.as_str()));
        let at_once = |other: &&&Enrolled| from_s < other.to_s && other.from_s < to_s;
        match same_meter.iter().filter(meets).find(at_once) {
            Some(other) => Err(EnrolmentError::Overlap {
                meter: meter(),
                serial: other.serial.as_ref().to_owned(),
            }),
            None => Ok(()),
        }
    }

    /// Gives a key the largest table that its turn and the memory left allow.
    fn add_to_ring(&mut self, key: VerifyingKey) -> Result<KeyIndex, RingFault> {
        use TableSize::{Large, Medium, None, Small};
        let sizes: &[TableSize] = match self.keys.len() {
            0..KEYS_LARGE => &[Large, Medium, Small, None],
            KEYS_LARGE..KEYS_MEDIUM if self.ring.table_bytes() < TABLE_BYTES_MAX / 2 => {
                &[Medium, Small, None]
            }
            _ => &[Small, None],
        };
        let mut fault = RingFault::KeysFull;
        for &size in sizes {
            match self.ring.add(key.clone(), size) {
                Ok(index) => return Ok(index),
                Err(full) => fault = full,
            }
        }
        Err(fault)
    }

    /// Returns a key by its place.
    pub(crate) fn key(&self, place: u32) -> &Enrolled {
        &self.keys[place as usize]
    }

    /// Finds the place of a key by its id.
    pub(crate) fn place_of(&self, key_id: &[u8; 32]) -> Option<u32> {
        self.by_id.get(key_id).copied()
    }

    /// Names the meters, each once, in the order in which they were enrolled.
    pub(crate) fn meter_names(&self) -> &[Arc<str>] {
        &self.meter_names
    }

    /// Returns the place of a meter's name.
    pub(crate) fn meter_index(&self, name: &str) -> Option<u32> {
        let first = *self.meters.get(name)?.first()?;
        Some(self.key(first).meter_index)
    }

    /// Lists the ids of the keys, in the order of their enrolment.
    pub(crate) fn key_ids(&self) -> impl Iterator<Item = &[u8; 32]> {
        self.keys.iter().map(|key| &key.key_id)
    }

    /// Names the meters of the keys, in the order of their enrolment.
    pub(crate) fn key_meters(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|key| key.meter.as_ref())
    }

    /// Writes an enrolled key as canonical SPKI DER.
    pub(crate) fn public_key_der(&self, key_id: &[u8; 32]) -> Option<Vec<u8>> {
        let key = self.key(self.place_of(key_id)?).key;
        Some(self.ring.key(key)?.to_spki_der())
    }

    /// Names the meter that has a serial number in a format.
    pub(crate) fn meter_of(&self, format: &Format, serial: &str) -> Option<&Enrolled> {
        let places = self.by_serial.get(serial)?;
        let mut keys = places.iter().map(|&place| self.key(place));
        keys.find(|key| key.signs(format))
    }

    /// Finds the one key of a record's serial number that may sign in its format at its time, and
    /// that time. [UTC ms]
    pub(crate) fn key_of(
        &self,
        format: &Format,
        record: &SignedRecord<'_>,
    ) -> Result<(u32, i64), MeteringError> {
        let places = self.by_serial.get(record.serial.as_ref());
        let mut refusal = None;
        for &place in places.map_or(&[][..], Vec::as_slice) {
            let key = self.key(place);
            if !key.signs(format) {
                continue;
            }
            let serial = || key.serial.as_ref().to_owned();
            let Some(time_ms) = key.time_ms(record) else {
                let serial = serial();
                let stated_s = record.local.and_then(|moment| moment.stated_s);
                refusal = Some(MeteringError::LocalTime { serial, stated_s });
                continue;
            };
            let time_s = time_ms.div_euclid(1000);
            if key.from_s <= time_s && time_s < key.to_s {
                return Ok((place, time_ms));
            }
            let serial = serial();
            refusal = refusal.or(Some(MeteringError::KeyNotValidThen { serial, time_s }));
        }
        Err(refusal.unwrap_or_else(|| MeteringError::KeyUnknown {
            serial: record.serial.as_ref().to_owned(),
        }))
    }
}
