//! Laws of the continuous book on random commands; `assert_laws` names them.

use gridrig_market::book::exercise::{assert_laws, commands, exercise, small_exchange};
use gridrig_market::book::{Command, CommandLog, Event, Exchange};
use proptest::prelude::*;

/// Cases per law; a soak sets `GRIDRIG_CASES`.
fn cases(usual: u32) -> ProptestConfig {
    let wanted = std::env::var("GRIDRIG_CASES").ok();
    let cases = wanted.and_then(|text| text.parse().ok()).unwrap_or(usual);
    ProptestConfig::with_cases(cases)
}

fn streams() -> impl Strategy<Value = Vec<Command>> {
    prop::collection::vec(any::<[u8; 8]>(), 0..120).prop_map(|pieces| commands(&pieces.concat()))
}

fn small() -> Exchange {
    small_exchange().expect("within bounds")
}

/// A log of some commands, sealed after every seventh.
fn log_of(commands: &[Command]) -> Vec<u8> {
    let mut log = CommandLog::new(small().config(), 0);
    for few in commands.chunks(7) {
        few.iter().for_each(|command| log.append(command));
        log.seal();
    }
    log.seal().to_vec()
}

proptest! {
    #![proptest_config(cases(120))]

    #[test]
    fn prop_every_law_holds_after_every_command(commands in streams()) {
        assert_laws(small(), &commands);
    }

    #[test]
    fn prop_any_bytes_are_commands_or_a_named_error(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        exercise(&bytes);
    }

    #[test]
    fn prop_a_batch_does_what_its_commands_do(commands in streams()) {
        let (mut one_by_one, mut at_once) = (small(), small());
        let (mut some, mut all): (Vec<Event>, Vec<Event>) = (Vec::new(), Vec::new());
        commands.iter().for_each(|command| one_by_one.apply(command, &mut some));
        at_once.apply_all(&commands, &mut all);
        prop_assert_eq!(some, all);
        prop_assert_eq!(one_by_one.state_hash(), at_once.state_hash());
    }

    #[test]
    fn prop_no_bit_of_a_log_can_flip_unseen(commands in streams(), at in any::<prop::sample::Index>()) {
        let mut log = log_of(&commands);
        let bit = at.index(log.len() * 8);
        log[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(Exchange::replay(&log, &mut Vec::new()).is_err(), "bit {}", bit);
    }

    #[test]
    fn prop_no_bit_of_a_snapshot_can_flip_unseen(
        commands in streams(),
        at in any::<prop::sample::Index>(),
    ) {
        let mut snapshot = assert_laws(small(), &commands).snapshot();
        let bit = at.index(snapshot.len() * 8);
        snapshot[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(Exchange::restore(&snapshot).is_err(), "bit {}", bit);
    }

    #[test]
    fn prop_a_cut_log_is_an_error_or_an_earlier_state(
        commands in streams(),
        at in any::<prop::sample::Index>(),
    ) {
        let log = log_of(&commands);
        let mut events = Vec::new();
        match Exchange::replay(&log[..at.index(log.len() + 1)], &mut events) {
            Err(error) => prop_assert!(error.code().starts_with("market.bytes_")),
            Ok(_) => {
                let mut whole = Vec::new();
                small().apply_all(&commands, &mut whole);
                prop_assert!(whole.starts_with(&events));
            }
        }
    }
}
