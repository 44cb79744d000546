//! What one meter counted in one period, with its proof.

use std::sync::Arc;

use gridrig_metering::{ClockStatus, VerifiedReading};
use gridrig_quantity::Energy;

use crate::counted::{Counted, Span};
use crate::{Quality, SettlementError};

/// Where the energy comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    /// A part of one stretch of time, and the first and last reading that say what it counted.
    Stretch {
        span: Span,
        backing: Option<(Arc<VerifiedReading>, Arc<VerifiedReading>)>,
    },
    /// Stretches that follow each other.
    Joined(Arc<[MeterPeriod]>),
}

/// What a meter counted in a period, whose meter it is, and which verified readings say so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeterPeriod {
    participant: Arc<str>,
    meter: Arc<str>,
    from_ms: i64,
    to_ms: i64,
    counted: Counted,
    quality: Quality,
    source: Source,
}

impl MeterPeriod {
    /// Pairs two readings of the registers of one meter.
    ///
    /// # Errors
    /// [`SettlementError::MeterMismatch`], [`SettlementError::NotForward`],
    /// [`SettlementError::RegisterMissing`], [`SettlementError::RegisterFell`].
    pub fn new(
        participant: impl Into<Arc<str>>,
        opening: impl Into<Arc<VerifiedReading>>,
        closing: impl Into<Arc<VerifiedReading>>,
    ) -> Result<Self, SettlementError> {
        let (opening, closing) = (opening.into(), closing.into());
        if (opening.meter(), opening.serial()) != (closing.meter(), closing.serial()) {
            return Err(SettlementError::MeterMismatch {
                opening: opening.meter().to_owned(),
                closing: closing.meter().to_owned(),
            });
        }
        let (from_ms, to_ms) = (opening.time_ms(), closing.time_ms());
        Span::new(opening.meter(), from_ms, to_ms, Counted::NOTHING)?;
        let counted = Counted::between(&opening, &closing)?;
        Self::stretch(
            participant.into(),
            opening,
            closing,
            from_ms,
            to_ms,
            counted,
        )
    }

    /// Takes the energy of one interval, which its reading states.
    ///
    /// A direction the interval is not of counts nothing.
    ///
    /// # Errors
    /// [`SettlementError::RegisterMissing`] for a reading of registers,
    /// [`SettlementError::NotForward`] for an interval that does not end after it begins.
    pub fn of_interval(
        participant: impl Into<Arc<str>>,
        reading: impl Into<Arc<VerifiedReading>>,
    ) -> Result<Self, SettlementError> {
        let reading = reading.into();
        let Some(start_ms) = reading.start_ms() else {
            let (meter, register) = (reading.meter().to_owned(), "interval");
            return Err(SettlementError::RegisterMissing { meter, register });
        };
        let counted = Counted {
            import: reading.interval_import().unwrap_or(Energy::ZERO),
            export: reading.interval_export().unwrap_or(Energy::ZERO),
        };
        let (closing, end_ms) = (Arc::clone(&reading), reading.time_ms());
        Self::stretch(
            participant.into(),
            reading,
            closing,
            start_ms,
            end_ms,
            counted,
        )
    }

    /// Takes what a meter counted since it was mounted in place of another.
    ///
    /// What its registers stood at then is what the trust store has for its key.
    ///
    /// # Errors
    /// [`SettlementError::StartUnknown`], [`SettlementError::NotForward`],
    /// [`SettlementError::RegisterMissing`], [`SettlementError::RegisterFell`].
    pub fn since_mounted(
        participant: impl Into<Arc<str>>,
        mounted_ms: i64,
        closing: impl Into<Arc<VerifiedReading>>,
    ) -> Result<Self, SettlementError> {
        let closing = closing.into();
        let counted = Counted::since_mounted(&closing)?;
        let (opening, to_ms) = (Arc::clone(&closing), closing.time_ms());
        Self::stretch(
            participant.into(),
            opening,
            closing,
            mounted_ms,
            to_ms,
            counted,
        )
    }

    /// Estimates a period: the mean power of `basis` over its time, or nothing without one.
    ///
    /// Energy is rounded down to a milliwatt-hour; the readings named are those of the basis.
    ///
    /// # Errors
    /// [`SettlementError::NotForward`], [`SettlementError::MeterMismatch`] for a basis of another
    /// meter, [`SettlementError::Quantity`].
    pub fn estimated(
        participant: impl Into<Arc<str>>,
        meter: impl Into<Arc<str>>,
        (from_ms, to_ms): (i64, i64),
        basis: Option<&Self>,
    ) -> Result<Self, SettlementError> {
        let meter = meter.into();
        let counted = match basis {
            None => Counted::NOTHING,
            Some(basis) if *basis.meter != *meter => {
                let (opening, closing) = (basis.meter.to_string(), meter.to_string());
                return Err(SettlementError::MeterMismatch { opening, closing });
            }
            Some(basis) => {
                let span = Span::new(&meter, basis.from_ms, basis.to_ms, basis.counted)?;
                span.at_mean_power(to_ms - from_ms)?
            }
        };
        Self::by_rule(participant, meter, (from_ms, to_ms), counted, basis)
    }

    /// States the energy of a period that no reading tells, as a rule gives it.
    ///
    /// # Errors
    /// [`SettlementError::NotForward`].
    pub fn by_rule(
        participant: impl Into<Arc<str>>,
        meter: impl Into<Arc<str>>,
        (from_ms, to_ms): (i64, i64),
        counted: Counted,
        basis: Option<&Self>,
    ) -> Result<Self, SettlementError> {
        let meter = meter.into();
        let span = Span::new(&meter, from_ms, to_ms, counted)?;
        let backing = basis.and_then(|basis| {
            let (opening, closing) = (basis.opening()?, basis.closing()?);
            Some((Arc::clone(opening), Arc::clone(closing)))
        });
        Ok(Self {
            participant: participant.into(),
            meter,
            from_ms,
            to_ms,
            counted,
            quality: Quality::Estimated,
            source: Source::Stretch { span, backing },
        })
    }

    fn stretch(
        participant: Arc<str>,
        opening: Arc<VerifiedReading>,
        closing: Arc<VerifiedReading>,
        from_ms: i64,
        to_ms: i64,
        counted: Counted,
    ) -> Result<Self, SettlementError> {
        let span = Span::new(opening.meter(), from_ms, to_ms, counted)?;
        Ok(Self {
            participant,
            meter: opening.meter_name(),
            from_ms,
            to_ms,
            counted,
            quality: Quality::Measured,
            source: Source::Stretch {
                span,
                backing: Some((opening, closing)),
            },
        })
    }

    /// Joins stretches of one meter that follow each other: intervals, or the meters before and
    /// after an exchange.
    ///
    /// # Errors
    /// [`SettlementError::PartsNotJoined`] unless there is a part, all are of one meter and one
    /// participant, and each begins where the one before it ends.
    pub fn join(parts: Vec<Self>) -> Result<Self, SettlementError> {
        let (Some(first), Some(last)) = (parts.first(), parts.last()) else {
            let (meter, ends_ms, begins_ms) = (String::new(), 0, 0);
            return Err(SettlementError::PartsNotJoined {
                meter,
                ends_ms,
                begins_ms,
            });
        };
        let apart = parts.windows(2).find(|pair| {
            pair[0].to_ms != pair[1].from_ms
                || pair[0].meter != pair[1].meter
                || pair[0].participant != pair[1].participant
        });
        if let Some(pair) = apart {
            return Err(SettlementError::PartsNotJoined {
                meter: pair[1].meter.to_string(),
                ends_ms: pair[0].to_ms,
                begins_ms: pair[1].from_ms,
            });
        }
        if parts.len() == 1 {
            return Ok(first.clone());
        }
        let qualities = parts.iter().map(|part| part.quality);
        Ok(Self {
            participant: Arc::clone(&first.participant),
            meter: Arc::clone(&first.meter),
            from_ms: first.from_ms,
            to_ms: last.to_ms,
            counted: Counted::sum(parts.iter().map(|part| part.counted))?,
            quality: qualities.max().unwrap_or(Quality::Estimated),
            source: Source::Joined(parts.into()),
        })
    }

    /// Parts a period that a lost reading joined, at the times of the readings that are lost.
    ///
    /// Nobody knows when in that time the energy flowed, so it is laid out evenly: up to a time `t`
    /// it is what was counted between the two readings times the share of time gone by, rounded
    /// down, and a part is what comes between two of these. The parts sum to the whole to the
    /// milliwatt-hour, none is negative, none is a milliwatt-hour or more from its exact share, and
    /// parting a part gives what parting the whole gives.
    ///
    /// # Errors
    /// [`SettlementError::SplitOutside`] unless `edges_ms` rise and lie within the period.
    pub fn split(&self, edges_ms: &[i64]) -> Result<Vec<Self>, SettlementError> {
        let mut parts = Vec::with_capacity(edges_ms.len() + 1);
        let mut from_ms = self.from_ms;
        for &to_ms in edges_ms.iter().chain([&self.to_ms]) {
            parts.push(self.part(from_ms, to_ms)?);
            from_ms = to_ms;
        }
        Ok(parts)
    }

    /// Returns the part of the period between two times within it.
    ///
    /// # Errors
    /// [`SettlementError::SplitOutside`] unless `to_ms` is after `from_ms` and both are within.
    pub fn part(&self, from_ms: i64, to_ms: i64) -> Result<Self, SettlementError> {
        if to_ms <= from_ms || from_ms < self.from_ms || to_ms > self.to_ms {
            return Err(SettlementError::SplitOutside {
                meter: self.meter.to_string(),
                edge_ms: if from_ms < self.from_ms {
                    from_ms
                } else {
                    to_ms
                },
                from_ms: from_ms.max(self.from_ms),
                to_ms: self.to_ms,
            });
        }
        if (from_ms, to_ms) == (self.from_ms, self.to_ms) {
            return Ok(self.clone());
        }
        match &self.source {
            Source::Stretch { span, .. } => Ok(Self {
                from_ms,
                to_ms,
                counted: span.part(from_ms, to_ms)?,
                quality: self.quality.max(Quality::Interpolated),
                ..self.clone()
            }),
            Source::Joined(pieces) => {
                let within = pieces
                    .iter()
                    .filter(|piece| piece.from_ms < to_ms && piece.to_ms > from_ms);
                let parts: Result<Vec<Self>, _> = within
                    .map(|piece| piece.part(from_ms.max(piece.from_ms), to_ms.min(piece.to_ms)))
                    .collect();
                Self::join(parts?)
            }
        }
    }

    /// Returns the beginning of the time this is the energy of. [UTC ms]
    pub const fn from_ms(&self) -> i64 {
        self.from_ms
    }

    /// Returns the end of that time. [UTC ms]
    pub const fn to_ms(&self) -> i64 {
        self.to_ms
    }

    /// Returns whose meter it is.
    pub const fn participant(&self) -> &Arc<str> {
        &self.participant
    }

    /// Returns the name of the meter.
    pub const fn meter(&self) -> &Arc<str> {
        &self.meter
    }

    /// Returns how the energy is known.
    pub const fn quality(&self) -> Quality {
        self.quality
    }

    /// Returns the energy taken from the grid in the period, not negative.
    pub const fn import(&self) -> Energy {
        self.counted.import
    }

    /// Returns the energy given to the grid in the period, not negative.
    pub const fn export(&self) -> Energy {
        self.counted.export
    }

    /// Returns the first reading behind it; none if it is an estimate without any.
    pub fn opening(&self) -> Option<&Arc<VerifiedReading>> {
        match &self.source {
            Source::Stretch { backing, .. } => backing.as_ref().map(|(opening, _)| opening),
            Source::Joined(parts) => parts.iter().find_map(Self::opening),
        }
    }

    /// Returns the last reading behind it; none if it is an estimate without any.
    pub fn closing(&self) -> Option<&Arc<VerifiedReading>> {
        match &self.source {
            Source::Stretch { backing, .. } => backing.as_ref().map(|(_, closing)| closing),
            Source::Joined(parts) => parts.iter().rev().find_map(Self::closing),
        }
    }

    /// Lists every reading behind it, in order, each once.
    pub fn readings(&self) -> Vec<&Arc<VerifiedReading>> {
        let mut readings = Vec::with_capacity(2);
        self.add_readings(&mut readings);
        readings.dedup_by_key(|reading| *reading.digest());
        readings
    }

    fn add_readings<'a>(&'a self, readings: &mut Vec<&'a Arc<VerifiedReading>>) {
        match &self.source {
            Source::Stretch { backing, .. } => {
                readings.extend(
                    backing
                        .iter()
                        .flat_map(|(opening, closing)| [opening, closing]),
                );
            }
            Source::Joined(parts) => parts.iter().for_each(|part| part.add_readings(readings)),
        }
    }

    /// Tells by how much the period begins and ends off two times. [ms]
    ///
    /// A clock that is not synchronised proves nothing either way, so its meter is taken at its
    /// word and is off by nothing.
    pub(crate) fn off_ms(&self, from_ms: i64, to_ms: i64) -> i64 {
        let by_clock = |reading: Option<&Arc<VerifiedReading>>, at_ms: i64| {
            reading.is_some_and(|reading| {
                reading.time_ms() == at_ms && reading.clock_status() != ClockStatus::Synchronised
            })
        };
        let off = |reading, at_ms: i64, edge_ms: i64| {
            if by_clock(reading, at_ms) {
                0
            } else {
                at_ms.abs_diff(edge_ms)
            }
        };
        let opens = off(self.opening(), self.from_ms, from_ms);
        let closes = off(self.closing(), self.to_ms, to_ms);
        i64::try_from(opens.max(closes)).unwrap_or(i64::MAX)
    }
}
