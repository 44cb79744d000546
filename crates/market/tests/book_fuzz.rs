//! The fuzz target on stable Rust: the kept corpus, then seeded random bytes.
//!
//! `fuzz/README.md` says how to run the same function under `cargo fuzz` for hours.

use std::collections::BTreeSet;
use std::path::Path;

use gridrig_market::book::exercise::{assert_laws, commands, exercise, small_exchange};
use gridrig_market::book::{CancelReason, Event, Refusal};

/// Bytes of a generator with a stated seed (Steele, Lea and Flood, "Fast splittable pseudorandom
/// number generators," OOPSLA 2014).
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn bytes(&mut self, words: u64) -> Vec<u8> {
        (0..words).flat_map(|_| self.next().to_le_bytes()).collect()
    }
}

#[test]
fn the_kept_corpus_breaks_no_law() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/book_commands");
    let mut seen = 0;
    for file in std::fs::read_dir(corpus).expect("the corpus is in the tree") {
        exercise(&std::fs::read(file.expect("a file").path()).expect("it can be read"));
        seen += 1;
    }
    assert!(seen >= 20, "only {seen} inputs");
}

/// The word for an answer: its event, refusal or reason.
fn word(event: &Event) -> String {
    match event {
        Event::Refused { refusal, .. } => refusal.code().to_owned(),
        Event::Cancelled { reason, .. } => reason.word().to_owned(),
        other => {
            let text = format!("{other:?}");
            text.split(' ').next().unwrap_or_default().to_owned()
        }
    }
}

#[test]
fn random_commands_break_no_law_and_get_every_answer() {
    let mut random = SplitMix(2026);
    let mut answers = BTreeSet::new();
    for _ in 0..60 {
        let commands = commands(&random.bytes(400));
        let exchange = small_exchange().expect("within bounds");
        assert_laws(exchange, &commands);
        let mut events: Vec<Event> = Vec::new();
        let mut exchange = small_exchange().expect("within bounds");
        exchange.apply_all(&commands, &mut events);
        answers.extend(events.iter().map(word));
    }
    let refusals = Refusal::ALL.map(|refusal| refusal.code().to_owned());
    let reasons = CancelReason::ALL.map(|reason| reason.word().to_owned());
    let others = [
        "Accepted",
        "Traded",
        "Amended",
        "Reduced",
        "Expired",
        "AllCancelled",
        "ParticipantSet",
        "BookOpened",
        "CollarSet",
        "Halted",
        "Resumed",
        "GateClosed",
    ];
    let all: BTreeSet<String> = refusals
        .into_iter()
        .chain(reasons)
        .chain(others.map(str::to_owned))
        .collect();
    let missing: Vec<&String> = all.difference(&answers).collect();
    assert!(missing.is_empty(), "never seen: {missing:?}");
}

#[test]
fn random_bytes_are_refused_by_every_reader_or_read() {
    let mut random = SplitMix(7);
    for words in 0..64 {
        exercise(&random.bytes(words));
    }
}
