//! Why a certificate cannot be, or not make a step.

use super::{
    Asset, CLAIM_QUANTA_MAX, Claim, EDGE_APART_MAX_MS, GRAMS_RATE_MAX, LotState,
    METERED_QUANTA_MAX, TEXT_MAX,
};

/// Rules in the order in which they are checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// A pseudonym is not of 32 bytes, or is zero.
    #[error("an asset of {bytes} bytes, expected 32 random ones")]
    AssetMalformed {
        /// How many bytes there are.
        bytes: usize,
    },
    /// A name is missing or too long.
    #[error("{name} has {bytes} bytes, expected 1 to {TEXT_MAX}")]
    TextBound {
        /// What the name is for.
        name: &'static str,
        /// How long it is.
        bytes: usize,
    },
    /// A whole unit or more is carried from meter to meter.
    #[error("meter {meter:?} carries {found} mWh on, expected less than 1000")]
    CarriedBound {
        /// The meter.
        meter: String,
        /// What it carries. [mWh]
        found: u16,
    },
    /// A storage gives more than it takes, or nothing.
    #[error("meter {meter:?} is of a storage of {found} permille, expected 1 to 1000")]
    EfficiencyBound {
        /// The meter.
        meter: String,
        /// The round-trip efficiency. [permille]
        found: u16,
    },
    /// An interval has no quantum or too many.
    #[error("{quanta} quanta from {first} on, expected 1 to {CLAIM_QUANTA_MAX}")]
    IntervalBound {
        /// The first quantum.
        first: u64,
        /// How many there are.
        quanta: u64,
    },
    /// A period is neither between two readings of the registers of one meter nor an interval.
    #[error(
        "{from_ms} to {to_ms} ms UTC of meter {meter:?} is neither between two readings of its \
         registers nor one interval that it signed"
    )]
    Part {
        /// The meter.
        meter: String,
        /// Its beginning. [UTC ms]
        from_ms: i64,
        /// Its end. [UTC ms]
        to_ms: i64,
    },
    /// A reading stands for no edge of quanta.
    #[error(
        "meter {meter:?} was read at {time_ms} ms UTC, more than {EDGE_APART_MAX_MS} ms from the \
         edge of a quantum"
    )]
    EdgeApart {
        /// The meter.
        meter: String,
        /// When it was read. [UTC ms]
        time_ms: i64,
    },
    /// The readings are too far apart, or on one edge.
    #[error(
        "meter {meter:?} was read at {opening_ms} and {closing_ms} ms UTC, expected 1 to \
         {METERED_QUANTA_MAX} quanta apart"
    )]
    IntervalLong {
        /// The meter.
        meter: String,
        /// Time of the opening reading. [UTC ms]
        opening_ms: i64,
        /// Time of the closing reading. [UTC ms]
        closing_ms: i64,
    },
    /// A connection point has a pseudonym already.
    #[error("connection point {point:?} is asset {asset} already")]
    PointRepeated {
        /// The connection point.
        point: String,
        /// Its pseudonym.
        asset: Asset,
    },
    /// A pseudonym is that of another connection point.
    #[error("asset {asset} is connection point {point:?} already")]
    AssetRepeated {
        /// The pseudonym.
        asset: Asset,
        /// Whose it is.
        point: String,
    },
    /// A pseudonym was not given to any connection point.
    #[error("asset {asset} is no connection point of this register")]
    AssetUnknown {
        /// The pseudonym.
        asset: Asset,
    },
    /// A meter belongs to a connection point already.
    #[error("meter {meter:?} of serial {serial:?} is a source of asset {asset} already")]
    SourceRepeated {
        /// The meter.
        meter: String,
        /// Its serial number.
        serial: String,
        /// Where it is enrolled.
        asset: Asset,
    },
    /// A meter is not one whose energy is certified.
    #[error("meter {meter:?} of serial {serial:?} is no source")]
    SourceUnknown {
        /// The meter.
        meter: String,
        /// Its serial number.
        serial: String,
    },
    /// A register stands lower than when the meter was enrolled.
    #[error("meter {meter:?} is {short_milliwh} mWh below its start of {start_milliwh} mWh")]
    BelowStart {
        /// The meter.
        meter: String,
        /// Where it started. [mWh]
        start_milliwh: i64,
        /// How far below it is. [mWh]
        short_milliwh: i64,
    },
    /// A claim or a step of nothing.
    #[error("0 Wh of asset or certificate {of}")]
    EnergyEmpty {
        /// Which.
        of: String,
    },
    /// More is claimed than the meter counted.
    #[error("{energy_wh} Wh of asset {asset} are claimed where its meter counted {units}")]
    EnergyBeyond {
        /// The asset.
        asset: Asset,
        /// What is claimed. [Wh]
        energy_wh: u64,
        /// What was counted. [Wh]
        units: u64,
    },
    /// A meter is certified by its registers and by its intervals.
    #[error("meter {meter:?} is certified by its {standing} and claimed by its {found}")]
    MeasureMixed {
        /// The meter.
        meter: String,
        /// By which it is certified.
        standing: &'static str,
        /// By which it is claimed.
        found: &'static str,
    },
    /// The whole Wh of an interval are not what it comes to with what is carried to it.
    #[error(
        "{energy_milliwh} mWh of meter {meter:?} with {carried_milliwh} mWh carried to them are \
         stated to be {found} Wh"
    )]
    UnitsFalse {
        /// The meter.
        meter: String,
        /// What its interval states. [mWh]
        energy_milliwh: u64,
        /// What is carried to it. [mWh]
        carried_milliwh: i64,
        /// How many Wh are stated.
        found: u64,
    },
    /// An event stands at another place than its number says.
    #[error("event {found} stands where {expected} has to")]
    NumberOrder {
        /// Its number.
        found: u64,
        /// The number of its place.
        expected: u64,
    },
    /// Some of the energy is claimed already.
    #[error("{refused} is refused: claimed as {record}")]
    DoubleClaim {
        /// The claim that stands.
        record: Box<Claim>,
        /// The claim that is refused.
        refused: Box<Claim>,
    },
    /// A storage discharges what no certificate was retired to charge.
    #[error(
        "storage {asset} has {left_milliwh} mWh charged with certificates, needs {needed_wh} Wh"
    )]
    StorageUncharged {
        /// The storage.
        asset: Asset,
        /// What is left of what was charged. [mWh]
        left_milliwh: u128,
        /// What is to be minted. [Wh]
        needed_wh: u64,
    },
    /// There is no such certificate here.
    #[error("there is no certificate {certificate}")]
    CertificateUnknown {
        /// Its number.
        certificate: u64,
    },
    /// The reading behind a certificate was withdrawn.
    #[error("certificate {certificate} is frozen: its reading was withdrawn")]
    Frozen {
        /// Its number.
        certificate: u64,
    },
    /// The watt-hours are not all in one lot.
    #[error(
        "{energy_wh} Wh from {from_wh} on of certificate {certificate} are not in one lot; the lot \
         has {lot_wh} Wh from {lot_from_wh} on"
    )]
    LotBound {
        /// The certificate.
        certificate: u64,
        /// Number of the first Wh.
        from_wh: u64,
        /// How many. [Wh]
        energy_wh: u64,
        /// Number of the first Wh of the lot there.
        lot_from_wh: u64,
        /// How many it has. [Wh]
        lot_wh: u64,
    },
    /// The lot is used up or lives on elsewhere.
    #[error("certificate {certificate} from Wh {from_wh} on is {} already", state.word())]
    LotEnded {
        /// The certificate.
        certificate: u64,
        /// Number of the first Wh.
        from_wh: u64,
        /// How it ended.
        state: LotState,
    },
    /// The lot is somebody else's.
    #[error("certificate {certificate} from Wh {from_wh} on belongs to {found:?}, not {holder:?}")]
    NotHolder {
        /// The certificate.
        certificate: u64,
        /// Number of the first Wh.
        from_wh: u64,
        /// Who asks.
        holder: String,
        /// Whose it is.
        found: String,
    },
    /// Only a whole certificate can move to another registry.
    #[error("{energy_wh} Wh of certificate {certificate} are to move, it has {whole_wh}")]
    NotWhole {
        /// The certificate.
        certificate: u64,
        /// What is to move. [Wh]
        energy_wh: u64,
        /// What it has. [Wh]
        whole_wh: u64,
    },
    /// What is to be charged is no storage.
    #[error("asset {asset} has no storage to charge")]
    NotStorage {
        /// The asset.
        asset: Asset,
    },
    /// Energies and rates do not pair.
    #[error("{intervals} intervals and {rates} rates")]
    RatesDiffer {
        /// How many intervals.
        intervals: usize,
        /// How many rates.
        rates: usize,
    },
    /// A rate is beyond anything a plant emits.
    #[error("rate {found} g/MWh is above {GRAMS_RATE_MAX}")]
    RateBound {
        /// The rate. [g/MWh]
        found: u32,
    },
    /// Grams do not fit.
    #[error("{found} g do not fit 64 bits")]
    GramsBound {
        /// The grams.
        found: u128,
    },
}

impl CertificateError {
    /// Returns the stable name of the rule.
    pub fn code(&self) -> &'static str {
        match self {
            Self::AssetMalformed { .. } => "settlement.certificate_asset",
            Self::TextBound { .. } => "settlement.certificate_text",
            Self::CarriedBound { .. } => "settlement.certificate_carried",
            Self::EfficiencyBound { .. } => "settlement.certificate_efficiency",
            Self::IntervalBound { .. } => "settlement.certificate_interval_bound",
            Self::Part { .. } => "settlement.certificate_part",
            Self::EdgeApart { .. } => "settlement.certificate_edge_apart",
            Self::IntervalLong { .. } => "settlement.certificate_interval_long",
            Self::PointRepeated { .. } => "settlement.certificate_point_repeated",
            Self::AssetRepeated { .. } => "settlement.certificate_asset_repeated",
            Self::AssetUnknown { .. } => "settlement.certificate_asset_unknown",
            Self::SourceRepeated { .. } => "settlement.certificate_source_repeated",
            Self::SourceUnknown { .. } => "settlement.certificate_source_unknown",
            Self::BelowStart { .. } => "settlement.certificate_below_start",
            Self::EnergyEmpty { .. } => "settlement.certificate_empty",
            Self::EnergyBeyond { .. } => "settlement.certificate_beyond",
            Self::MeasureMixed { .. } => "settlement.certificate_mixed",
            Self::UnitsFalse { .. } => "settlement.certificate_units",
            Self::NumberOrder { .. } => "settlement.certificate_number",
            Self::DoubleClaim { .. } => "settlement.certificate_double_claim",
            Self::StorageUncharged { .. } => "settlement.certificate_uncharged",
            Self::CertificateUnknown { .. } => "settlement.certificate_unknown",
            Self::Frozen { .. } => "settlement.certificate_frozen",
            Self::LotBound { .. } => "settlement.certificate_lot",
            Self::LotEnded { .. } => "settlement.certificate_ended",
            Self::NotHolder { .. } => "settlement.certificate_not_holder",
            Self::NotWhole { .. } => "settlement.certificate_not_whole",
            Self::NotStorage { .. } => "settlement.certificate_not_storage",
            Self::RatesDiffer { .. } => "settlement.carbon_rates",
            Self::RateBound { .. } => "settlement.carbon_rate",
            Self::GramsBound { .. } => "settlement.carbon_grams",
        }
    }
}
