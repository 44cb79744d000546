//! Laws of the energy registers.

use gridrig_plant::register::Register;
use proptest::prelude::*;

proptest! {
    #[test]
    fn prop_the_sum_does_not_depend_on_how_time_is_cut(
        held in prop::collection::vec((-200_000.0..200_000.0f64, 1u32..900, 1u32..60), 1..40),
    ) {
        let (mut whole, mut parts) = (Register::default(), Register::default());
        for (p_w, dt_s, cuts) in held {
            whole.add(p_w, f64::from(dt_s));
            for _ in 0..cuts {
                parts.add(p_w, f64::from(dt_s) / f64::from(cuts));
            }
        }
        prop_assert!(whole.import_milliwh().abs_diff(parts.import_milliwh()) <= 1);
        prop_assert!(whole.export_milliwh().abs_diff(parts.export_milliwh()) <= 1);
    }

    #[test]
    fn prop_registers_never_fall_and_only_one_moves(
        held in prop::collection::vec((-1e6..1e6f64, 0.0..900.0f64), 1..100),
    ) {
        let mut register = Register::default();
        for (p_w, dt_s) in held {
            let before = register.clone();
            register.add(p_w, dt_s);
            prop_assert!(register.import_milliwh() >= before.import_milliwh());
            prop_assert!(register.export_milliwh() >= before.export_milliwh());
            let exporting = p_w >= 0.0;
            prop_assert!(!exporting || register.import_milliwh() == before.import_milliwh());
            prop_assert!(exporting || register.export_milliwh() == before.export_milliwh());
        }
    }
}

#[test]
fn one_kilowatt_for_an_hour_is_a_million_milliwatt_hours() {
    let mut register = Register::default();
    for _ in 0..3600 {
        register.add(-1000.0, 1.0);
    }
    assert!(register.import_milliwh().abs_diff(1_000_000) <= 1);
    assert_eq!(register.export_milliwh(), 0);
}

#[test]
fn a_part_of_a_milliwatt_hour_is_carried_not_counted() {
    let mut register = Register::default();
    register.add(0.9 * 3.6, 1.0);
    assert_eq!(register.export_milliwh(), 0);
    register.add(0.2 * 3.6, 1.0);
    assert_eq!(register.export_milliwh(), 1);
}
