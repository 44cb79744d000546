//! What the categories of IEEE 1547-2018 prescribe, as data with their sources.
//!
//! # Source
//! The standard was not read. Numbers are those that two open programs restate independently: the
//! settings of EPRI's OpenDER 2.2.0 (`Parameters/AS-with std-values.csv`,
//! `operation_status/rt_crit.py`) and the IEEE 1547.1 scripts of Sandia (`p1547.py`, `UI.py`).
//! Where they disagree the entry says so. Frequencies are for 60 Hz and scale by the ratio.

/// Abnormal-operation categories, default first.
pub const ABNORMAL: [&str; 3] = ["III", "II", "I"];

/// Normal-operation categories, default first.
pub const NORMAL: [&str; 2] = ["B", "A"];

/// The must-trip relays, in the order of all tables here.
pub const RELAYS: [&str; 8] = ["OV1", "OV2", "UV1", "UV2", "OF1", "OF2", "UF1", "UF2"];

const OF1: (f64, f64) = (61.2, 300.0);
const OF2: (f64, f64) = (62.0, 0.16);
const UF1: (f64, f64) = (58.5, 300.0);
const UF2: (f64, f64) = (56.5, 0.16);
const OV2: (f64, f64) = (1.20, 0.16);

/// Must-trip thresholds [pu, Hz] and clearing times [s] by abnormal category: tables 11 to 13, 18.
pub const MUST_TRIP: [[(f64, f64); 8]; 3] = [
    [
        (1.10, 13.0),
        OV2,
        (0.88, 21.0),
        (0.50, 2.0),
        OF1,
        OF2,
        UF1,
        UF2,
    ],
    [
        (1.10, 2.0),
        OV2,
        (0.70, 10.0),
        (0.45, 0.16),
        OF1,
        OF2,
        UF1,
        UF2,
    ],
    [
        (1.10, 2.0),
        OV2,
        (0.70, 2.0),
        (0.45, 0.16),
        OF1,
        OF2,
        UF1,
        UF2,
    ],
];

/// Voltages below and above which a category ceases momentarily [pu]; `None` where it need not.
///
/// Category III: below 0.50 pu and above 1.10 pu (table 16). Categories I and II: "cease to
/// energise" lies in what is beyond their trip thresholds or permissive, so nothing by default.
pub const CESSATION: [Option<(f64, f64)>; 3] = [Some((0.50, 1.10)), None, None];

/// Momentary cessation within this time [s], and from nothing to all power after it [s].
///
/// 80 % of the former power within 0.4 s (clause 6.4.2.7) was read in one source only.
pub const CESSATION_S: (f64, f64) = (0.083, 0.4);

/// Reactive power that is required: injected and absorbed, by normal category [pu] (table 7).
pub const Q_REQUIRED: [(f64, f64); 2] = [(0.44, 0.44), (0.44, 0.25)];

/// Volt-var: voltages [pu], reactive powers [pu], response [s], by normal category (table 8).
pub const VOLT_VAR: [([f64; 4], [f64; 4], f64); 2] = [
    ([0.92, 0.98, 1.02, 1.08], [0.44, 0.0, 0.0, -0.44], 5.0),
    ([0.90, 1.00, 1.00, 1.10], [0.25, 0.0, 0.0, -0.25], 10.0),
];

/// Watt-var: active and reactive powers [pu], by normal category (table 9), absorbing side mirrored.
pub const WATT_VAR: [([f64; 6], [f64; 6]); 2] = [
    (
        [-1.0, -0.5, -0.2, 0.2, 0.5, 1.0],
        [0.44, 0.0, 0.0, 0.0, 0.0, -0.44],
    ),
    (
        [-1.0, -0.5, -0.2, 0.2, 0.5, 1.0],
        [0.25, 0.0, 0.0, 0.0, 0.0, -0.25],
    ),
];

/// Volt-watt: voltages [pu], active powers [pu], response [s], both categories (table 10).
///
/// Disputed: P2 is "the lesser of 0.2 and the minimum power" in `p1547.py`, 0 in OpenDER's data.
pub const VOLT_WATT: ([f64; 2], [f64; 2], f64) = ([1.06, 1.10], [1.0, 0.2], 10.0);

/// Frequency droop: deadband [Hz], k [pu/pu], response [s], all categories (table 24).
pub const DROOP: (f64, f64, f64) = (0.036, 0.05, 5.0);

/// Enter service: voltage [pu], frequency [Hz], delay [s], ramp [s] (table 4).
pub const ENTER_V: (f64, f64) = (0.917, 1.05);
/// As `ENTER_V`, frequency [Hz].
pub const ENTER_F: (f64, f64) = (59.5, 60.1);
/// As `ENTER_V`, delay and ramp [s].
pub const ENTER_S: (f64, f64) = (300.0, 300.0);

/// Time constant of a reference voltage that adjusts itself [s] (clause 5.3.3).
pub const VREF_S: f64 = 300.0;
