//! What meters in the field do beside the specification of OCMF.

use crate::profile::Profile;

/// Every profile of the format.
pub(super) static PROFILES: [&Profile; 6] = [
    &METER_SERIAL_MISSING,
    &VERSION_NUMBER,
    &VALUE_TEXT,
    &OBIS_PLACEHOLDER,
    &OBIS_TARIFF_1,
    &OBIS_STORAGE,
];

/// The specification wants `MS`; most records in the field leave it out.
pub(super) static METER_SERIAL_MISSING: Profile = Profile {
    name: "meter-serial-missing",
    bears: "no serial number MS; the gateway's GS names the signer",
};

/// `"FV": 1.0` without quotes.
pub(super) static VERSION_NUMBER: Profile = Profile {
    name: "version-number",
    bears: "the version FV as a number where the format says text",
};

/// `"RV": "      48.542"` or `"00000048.542"`.
pub(super) static VALUE_TEXT: Profile = Profile {
    name: "value-text",
    bears: "the value RV as a text, perhaps padded, where the format says number",
};

/// `1-b:1.8.e`, the letter of the specification instead of the tariff it stands for.
pub(super) static OBIS_PLACEHOLDER: Profile = Profile {
    name: "obis-placeholder",
    bears: "the placeholder e for the tariff of a register, taken as all tariffs",
};

/// `1-0:1.8.1` of a meter that has one tariff.
pub(super) static OBIS_TARIFF_1: Profile = Profile {
    name: "obis-tariff-1",
    bears: "the register of tariff 1 taken as that of all tariffs",
};

/// `1-0:1.8.0*198`, a register that the meter may set back.
pub(super) static OBIS_STORAGE: Profile = Profile {
    name: "obis-storage",
    bears: "a stored or resettable register taken as the total",
};
