//! What is worth knowing of a reading whose signature is right.

/// Something found beside a valid signature. A finding refuses nothing: it goes with the reading,
/// and whoever settles decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Finding {
    /// Records are missing before this one; [`crate::VerifiedReading::missing`] counts them.
    Gap,
    /// The key signed two payloads under one counter before.
    KeyEquivocated,
    /// The curve is below 112 bits of security.
    WeakAlgorithm,
    /// More energy was imported since the reading before than the place can take.
    ImportOverCapacity,
    /// More energy was exported since the reading before than the place can give.
    ExportOverCapacity,
    /// Energy went the way it never goes here, or against the signed power: a current transformer
    /// may sit the wrong way round.
    ReversedCt,
    /// Energy is about a thousand times, or a thousandth of, what it can be: a unit slipped.
    UnitSlip,
    /// Energy differs from the integral of the signed power.
    EnergyOffPower,
}

impl Finding {
    /// Every finding, in the order of their bits.
    pub const ALL: [Self; 8] = [
        Self::Gap,
        Self::KeyEquivocated,
        Self::WeakAlgorithm,
        Self::ImportOverCapacity,
        Self::ExportOverCapacity,
        Self::ReversedCt,
        Self::UnitSlip,
        Self::EnergyOffPower,
    ];

    /// Returns the stable name of the finding.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gap => "gap",
            Self::KeyEquivocated => "key_equivocated",
            Self::WeakAlgorithm => "weak_algorithm",
            Self::ImportOverCapacity => "import_over_capacity",
            Self::ExportOverCapacity => "export_over_capacity",
            Self::ReversedCt => "reversed_ct",
            Self::UnitSlip => "unit_slip",
            Self::EnergyOffPower => "energy_off_power",
        }
    }
}

/// A set of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Findings(u32);

impl Findings {
    /// Adds a finding.
    pub(crate) const fn add(&mut self, finding: Finding) {
        self.0 |= 1 << finding as u32;
    }

    /// Tells whether a finding is in the set.
    pub const fn has(self, finding: Finding) -> bool {
        self.0 & (1 << finding as u32) != 0
    }

    /// Returns the set as bits, in the order of [`Finding::ALL`].
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Lists the findings, in the order of [`Finding::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Finding> {
        Finding::ALL
            .into_iter()
            .filter(move |finding| self.has(*finding))
    }
}
