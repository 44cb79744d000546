//! OBIS codes of the registers that count all energy through a meter.
//!
//! A code has six groups, `A-B:C.D.E*F`. Counted here is electricity (A = 1) over any channel (B),
//! import (C = 1) or export (C = 2), of all tariffs (E = 0), as it stands now (F = 255).
//!
//! # Source
//! IEC 62056-6-1:2017, OBIS; S.A.F.E. e.V., "Open Charge Metering Format", 1.4.1, table 25.

/// Which of the two total registers a code names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Import,
    Export,
}

const ELECTRICITY: u8 = 1;
/// Time integral from the beginning of metering.
const TIME_INTEGRAL_1: u8 = 8;
/// The same, as EDL40 meters name the register they sign.
const SIGNED: u8 = 17;
const ALL_TARIFFS: u8 = 0;
const CURRENT: u8 = 255;

/// Reads a code in its six octets.
pub(super) fn direction_of([a, _, c, d, e, f]: [u8; 6]) -> Option<Direction> {
    let counts = matches!(d, TIME_INTEGRAL_1 | SIGNED);
    let total = a == ELECTRICITY && counts && e == ALL_TARIFFS && f == CURRENT;
    let direction = match c {
        1 => Direction::Import,
        2 => Direction::Export,
        _ => return None,
    };
    total.then_some(direction)
}

/// How far a written code names a total register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) direction: Direction,
    /// Group E is the letter that stands for it in the specification.
    pub(super) placeholder: bool,
    /// Group E names tariff 1.
    pub(super) tariff: bool,
    /// Group F names a stored or resettable register.
    pub(super) storage: bool,
}

/// Reads a code such as `1-b:1.8.0`, `01-00:01.08.00.FF`, `1-0:1.8.0*255` or `01-0B:B0.08.00*FF`.
///
/// Spellings in the field mix decimal and hexadecimal groups, with and without a zero before; the
/// groups of a total register read alike either way.
pub(super) fn parse_obis(code: &str) -> Option<Written> {
    let (medium, groups) = code.split_once(':')?;
    let (a, _) = medium.split_once('-')?;
    let (groups, star) = match groups.split_once('*') {
        Some((groups, f)) => (groups, Some(f)),
        None => (groups, None),
    };
    let mut groups = groups.split('.').map(without_zeros);
    let (c, d, e) = (groups.next()?, groups.next()?, groups.next()?);
    let f = match (groups.next(), star, groups.next()) {
        (dotted, None, None) => dotted,
        (None, starred, None) => starred.map(without_zeros),
        _ => return None,
    };
    let direction = match c {
        "1" | "B0" | "b0" => Direction::Import,
        "2" | "C0" | "c0" => Direction::Export,
        _ => return None,
    };
    let total = without_zeros(a) == "1" && d == "8" && matches!(e, "0" | "1" | "e");
    total.then_some(Written {
        direction,
        placeholder: e == "e",
        tariff: e == "1",
        storage: !matches!(f, None | Some("255" | "FF" | "ff")),
    })
}

fn without_zeros(group: &str) -> &str {
    let kept = group.trim_start_matches('0');
    if kept.is_empty() && !group.is_empty() {
        "0"
    } else {
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signed_register_is_electricity_of_all_tariffs_as_it_stands() {
        let import = [1, 0, 1, 17, 0, 255];
        assert_eq!(direction_of(import), Some(Direction::Import));
        assert_eq!(direction_of([1, 1, 2, 8, 0, 255]), Some(Direction::Export));
        for (group, other) in [(0, 7), (2, 3), (3, 7), (4, 1), (5, 100)] {
            let mut code = import;
            code[group] = other;
            assert_eq!(direction_of(code), None, "{code:?}");
        }
    }

    #[test]
    fn written_codes_of_the_field_are_read() {
        for (code, direction) in [
            ("1-b:1.8.0", Direction::Import),
            ("1-0:2.8.0", Direction::Export),
            ("1-0:1.8.0*255", Direction::Import),
            ("01-00:01.08.00.FF", Direction::Import),
            ("01-0B:01.08.00*FF", Direction::Import),
            ("01-00:B0.08.00*FF", Direction::Import),
            ("01-00:C0.08.00*FF", Direction::Export),
        ] {
            let plain = Written {
                direction,
                placeholder: false,
                tariff: false,
                storage: false,
            };
            assert_eq!(parse_obis(code), Some(plain), "{code}");
        }
    }

    #[test]
    fn departures_from_a_total_register_are_told_apart() {
        let read = |code| parse_obis(code).map(|o| (o.placeholder, o.tariff, o.storage));
        assert_eq!(read("1-b:1.8.e"), Some((true, false, false)));
        assert_eq!(read("1-0:1.8.1"), Some((false, true, false)));
        assert_eq!(read("1-0:1.8.0*198"), Some((false, false, true)));
        for code in [
            "",
            "1.8.0",
            "1-0:1.8",
            "7-0:1.8.0",
            "1-0:98.8.0.FF",
            "1-0:1.9.0",
            "1-0:1.8.2",
            "1-0:1.8.0.FF*FF",
            "1-0:1.8.0.FF.0",
            "01-00:B1.08.00*FF",
            "1-0:.8.0",
        ] {
            assert_eq!(read(code), None, "{code}");
        }
    }
}
