//! What the plant refuses: one enum, a stable code for each variant, the facts as data.

use thiserror::Error;

/// A value, a setting or a call the plant cannot accept.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum PlantError {
    /// A setting nobody knows.
    #[error("{place} has an unknown setting {key}{hint}", hint = hint(.near_miss))]
    SettingUnknown {
        /// The device, and the table inside its settings.
        place: String,
        /// The key as given.
        key: String,
        /// The known key nearest to it, if one is near.
        near_miss: Option<String>,
    },
    /// A setting of the wrong type or outside its range.
    #[error("{place}: setting {key} is {found}, expected {expected}")]
    SettingWrong {
        /// The device, and the table inside its settings.
        place: String,
        /// The key as given.
        key: String,
        /// What was found.
        found: String,
        /// What would have been right.
        expected: String,
    },
    /// A setting that has no default is missing.
    #[error("{place}: setting {key} is missing")]
    SettingMissing {
        /// The device, and the table inside its settings.
        place: String,
        /// The key that is needed.
        key: String,
    },
    /// A name is already taken.
    #[error("the name {name} is already taken")]
    NameRepeated {
        /// The name.
        name: String,
    },
    /// There is no device of this index.
    #[error("there is no device {index}, only {count}")]
    DeviceUnknown {
        /// The index asked for.
        index: usize,
        /// How many devices there are.
        count: usize,
    },
    /// The device is of another kind than the call needs.
    #[error("{name} is no {needed}")]
    DeviceKind {
        /// The device.
        name: String,
        /// What the call needs.
        needed: String,
    },
    /// A number that is not finite or outside its range.
    #[error("{what} is {value}, expected {expected}")]
    ValueWrong {
        /// What the number means, with its unit.
        what: String,
        /// The number.
        value: f64,
        /// The range.
        expected: String,
    },
    /// A list of another length than there are devices.
    #[error("{what} has {found} values for {expected} devices")]
    LengthWrong {
        /// What the list means.
        what: String,
        /// Its length.
        found: usize,
        /// The number of devices.
        expected: usize,
    },
    /// The call does not fit the state of the point of common coupling.
    #[error("{call} needs the PCC {needed}")]
    PccState {
        /// The call.
        call: String,
        /// The state it needs.
        needed: String,
    },
}

fn hint(near_miss: &Option<String>) -> String {
    near_miss
        .as_ref()
        .map_or_else(String::new, |key| format!(" (did you mean {key}?)"))
}

impl PlantError {
    /// The stable name of this failure; never reused for another.
    pub fn code(&self) -> &'static str {
        match self {
            PlantError::SettingUnknown { .. } => "plant.setting_unknown",
            PlantError::SettingWrong { .. } => "plant.setting_wrong",
            PlantError::SettingMissing { .. } => "plant.setting_missing",
            PlantError::NameRepeated { .. } => "plant.name_repeated",
            PlantError::DeviceUnknown { .. } => "plant.device_unknown",
            PlantError::DeviceKind { .. } => "plant.device_kind",
            PlantError::ValueWrong { .. } => "plant.value_wrong",
            PlantError::LengthWrong { .. } => "plant.length_wrong",
            PlantError::PccState { .. } => "plant.pcc_state",
        }
    }

    /// The data of this failure, as names and texts.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        match self {
            PlantError::SettingUnknown {
                place,
                key,
                near_miss,
            } => {
                let mut facts = vec![("place", place.clone()), ("key", key.clone())];
                facts.extend(near_miss.clone().map(|known| ("near_miss", known)));
                facts
            }
            PlantError::SettingWrong {
                place,
                key,
                found,
                expected,
            } => vec![
                ("place", place.clone()),
                ("key", key.clone()),
                ("found", found.clone()),
                ("expected", expected.clone()),
            ],
            PlantError::SettingMissing { place, key } => {
                vec![("place", place.clone()), ("key", key.clone())]
            }
            PlantError::NameRepeated { name } => vec![("name", name.clone())],
            PlantError::DeviceUnknown { index, count } => {
                vec![("index", index.to_string()), ("count", count.to_string())]
            }
            PlantError::DeviceKind { name, needed } => {
                vec![("name", name.clone()), ("needed", needed.clone())]
            }
            PlantError::ValueWrong {
                what,
                value,
                expected,
            } => vec![
                ("what", what.clone()),
                ("value", value.to_string()),
                ("expected", expected.clone()),
            ],
            PlantError::LengthWrong {
                what,
                found,
                expected,
            } => vec![
                ("what", what.clone()),
                ("found", found.to_string()),
                ("expected", expected.to_string()),
            ],
            PlantError::PccState { call, needed } => {
                vec![("call", call.clone()), ("needed", needed.clone())]
            }
        }
    }
}

/// Passes a finite number inside `[low, high]`, refuses any other.
///
/// # Errors
/// `ValueWrong` for NaN, infinities and numbers outside the range.
pub fn checked(what: &str, value: f64, low: f64, high: f64) -> Result<f64, PlantError> {
    if value.is_finite() && value >= low && value <= high {
        return Ok(value);
    }
    let expected = match (low.is_finite(), high.is_finite()) {
        (true, true) => format!("a number from {low} to {high}"),
        (true, false) => format!("a number not below {low}"),
        (false, true) => format!("a number not above {high}"),
        (false, false) => "a finite number".to_owned(),
    };
    Err(PlantError::ValueWrong {
        what: what.to_owned(),
        value,
        expected,
    })
}
