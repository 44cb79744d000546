//! The life of watt-hours against an array with one cell for each.

use gridrig_settlement::certificates::{
    CertificateError, Claim, Direction, Event, LotState, Measure, Register, Step,
};
use proptest::prelude::*;

use crate::certificates::{notice, register};

const WHOLE_WH: u64 = 24;

/// A register with one certificate of 24 Wh of alice's, backed by nothing that is looked at here.
fn issued() -> (Register, u64) {
    let mut register = register();
    let number = register.events() + 1;
    let claim = Claim {
        energy_wh: WHOLE_WH,
        holder: "alice".to_owned(),
        backing: Some(gridrig_settlement::certificates::Backing {
            meter: "m-alice".to_owned(),
            serial: "s".to_owned(),
            opening_digest: [1; 32],
            closing_digest: [2; 32],
            measure: Measure::Register { first_unit: 0 },
            units: WHOLE_WH,
        }),
        ..notice(&register, 1, Direction::Export, 0, 1)
    };
    register.apply(Event::Claimed(claim)).unwrap();
    (register, number)
}

fn stepped(certificate: u64, from_wh: u64, energy_wh: u64, holder: &str, step: Step) -> Event {
    Event::Stepped {
        certificate,
        from_wh,
        energy_wh,
        holder: holder.to_owned(),
        step,
    }
}

fn retired(beneficiary: &str) -> Step {
    Step::End(LotState::Retired {
        purpose: "tea".to_owned(),
        beneficiary: beneficiary.to_owned(),
    })
}

fn to(holder: &str) -> Step {
    Step::Transfer {
        to: holder.to_owned(),
    }
}

#[test]
fn each_step_out_of_turn_is_refused_by_its_own_code() {
    let (mut r, n) = issued();
    let moved = |place: &str| {
        Step::End(LotState::Moved {
            place: place.to_owned(),
        })
    };
    let mut code = |event: Event| match r.apply(event) {
        Ok(()) => "done",
        Err(error) => error.code(),
    };
    let found = [
        code(stepped(n, 0, 1, "alice", to(""))),
        code(stepped(n, 0, 1, "alice", to(&"x".repeat(257)))),
        code(stepped(n, 0, 0, "alice", to("bob"))),
        code(stepped(n + 1, 0, 1, "alice", to("bob"))),
        code(stepped(1, 0, 1, "alice", to("bob"))),
        code(stepped(n, 20, 5, "alice", to("bob"))),
        code(stepped(n, 24, 1, "alice", to("bob"))),
        code(stepped(n, 1, u64::MAX, "alice", to("bob"))),
        code(stepped(n, 0, 1, "mallory", to("mallory"))),
        code(stepped(n, 0, 23, "alice", moved("eip155:1:00"))),
        code(stepped(n, 0, 4, "alice", to("bob"))),
        code(stepped(n, 2, 4, "alice", to("carol"))),
        code(stepped(n, 0, 24, "alice", moved("eip155:1:00"))),
        code(stepped(n, 0, 4, "bob", retired("bob"))),
        code(stepped(n, 0, 4, "bob", retired("bob"))),
        code(stepped(n, 1, 2, "bob", to("bob"))),
        code(stepped(n, 4, 20, "alice", Step::Split)),
        code(Event::Frozen {
            certificate: n + 7,
            digest: [0; 32],
        }),
    ];
    let expected = [
        "settlement.certificate_text",
        "settlement.certificate_text",
        "settlement.certificate_empty",
        "settlement.certificate_unknown",
        "settlement.certificate_unknown",
        "settlement.certificate_lot",
        "settlement.certificate_lot",
        "settlement.certificate_lot",
        "settlement.certificate_not_holder",
        "settlement.certificate_not_whole",
        "done",
        "settlement.certificate_lot",
        "settlement.certificate_lot",
        "done",
        "settlement.certificate_ended",
        "settlement.certificate_ended",
        "done",
        "settlement.certificate_unknown",
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_certificate_that_moved_is_over_here() {
    let (mut register, n) = issued();
    let place = "eip155:31337:77".to_owned();
    let gone = Step::End(LotState::Moved { place });
    register
        .apply(stepped(n, 0, WHOLE_WH, "alice", gone))
        .unwrap();
    let after = register.apply(stepped(n, 0, 1, "alice", to("bob")));
    assert!(matches!(after, Err(CertificateError::LotEnded { .. })));
    assert_eq!(register.supply().moved_wh, u128::from(WHOLE_WH));
}

const HOLDERS: [&str; 3] = ["alice", "bob", "carol"];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    /// Splits, transfers and retirements in thousands do what they do to an array of Wh, conserve
    /// every one, and give the same register when the events are applied again.
    #[test]
    fn prop_steps_are_those_of_an_array_of_watt_hours(
        steps in proptest::collection::vec(
            (0..WHOLE_WH + 2, 0..8_u64, 0..3_usize, 0..3_usize, 0..4_u8), 1..60),
    ) {
        let (mut register, n) = issued();
        // Of each Wh: who holds it, whether it is retired, and whether a lot begins with it.
        let mut cells = vec![(0_usize, false, false); WHOLE_WH as usize];
        cells[0].2 = true;
        let mut entered = Vec::new();
        for (from, energy, by, for_whom, kind) in steps {
            let step = match kind {
                0 => Step::Split,
                1 | 2 => to(HOLDERS[for_whom]),
                _ => retired(HOLDERS[for_whom]),
            };
            let range = from as usize..(from + energy) as usize;
            let one_lot = cells.get(range.clone()).is_some_and(|wanted| {
                !wanted.is_empty() && wanted[1..].iter().all(|cell| !cell.2)
            });
            let allowed = one_lot && cells[range.clone()].iter().all(|c| c.0 == by && !c.1);
            let event = stepped(n, from, energy, HOLDERS[by], step);
            prop_assert_eq!(register.apply(event.clone()).is_ok(), allowed);
            if allowed {
                entered.push(event);
                cells[range.start].2 = true;
                if let Some(after) = cells.get_mut(range.end) {
                    after.2 = true;
                }
                for cell in &mut cells[range] {
                    match kind {
                        0 => {}
                        1 | 2 => cell.0 = for_whom,
                        _ => cell.1 = true,
                    }
                }
            }
        }
        let mut wh = 0;
        for lot in register.lots_of(n) {
            prop_assert_eq!(lot.from_wh, wh);
            for cell in &cells[wh as usize..(wh + lot.energy_wh) as usize] {
                prop_assert_eq!(HOLDERS[cell.0], &lot.holder);
                prop_assert_eq!(cell.1, lot.state != LotState::Held);
            }
            wh += lot.energy_wh;
        }
        prop_assert_eq!(wh, WHOLE_WH);
        let (mut again, _) = issued();
        for event in entered {
            again.apply(event).unwrap();
        }
        prop_assert_eq!(again, register);
    }
}
