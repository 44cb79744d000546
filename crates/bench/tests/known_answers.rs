//! The workloads are the known ones, and the naive book gives the answers that other engines gave.

use gridrig_bench::{
    Answer, EngineVenue, Kind, LoggedVenue, NaiveVenue, Op, answer_of, stream_hash, w1, w2, w3,
};

const fn answer(trades: u64, volume: i64, notional: i64, resting: u64) -> Answer {
    Answer {
        trades,
        volume,
        notional,
        resting,
    }
}

/// Asserts that every venue comes to the known answer.
fn assert_answers(stream: &[Op], books: u32, expected: Answer) {
    let engine = EngineVenue::open(books, 1_000_000).expect("an exchange holds so much");
    assert_eq!(answer_of(engine, stream), expected, "engine");
    let logged = LoggedVenue::open(books, 1_000_000).expect("an exchange holds so much");
    assert_eq!(answer_of(logged, stream), expected, "engine, command log");
    assert_eq!(
        answer_of(NaiveVenue::standard(books), stream),
        expected,
        "naive book"
    );
    assert_eq!(
        answer_of(NaiveVenue::fast_hash(books), stream),
        expected,
        "fast hash"
    );
}

#[test]
fn w1_begins_with_the_known_orders() {
    let first: Vec<_> = w1(4)
        .iter()
        .map(|op| (op.buys, op.quantity, op.price))
        .collect();
    let known = [
        (true, 700, 1_884),
        (false, 400, 1_892),
        (true, 700, 1_884),
        (false, 100, 1_893),
    ];
    assert_eq!(first, known);
}

#[test]
fn w1_gives_the_known_answers_in_every_size() {
    let known = [
        (1_000, answer(458, 149_300, 281_701_100, 488)),
        (10_000, answer(4_587, 1_396_900, 2_635_275_400, 4_921)),
        (100_000, answer(45_868, 13_898_200, 26_218_641_500, 49_309)),
        (
            1_000_000,
            answer(460_119, 139_481_100, 263_131_036_700, 492_402),
        ),
    ];
    for (orders, expected) in known {
        assert_answers(&w1(orders), 1, expected);
    }
    assert_eq!(stream_hash(&w1(1_000_000)), 0x2bb6_d6c7_902d_31f9);
}

#[test]
fn w3_gives_the_known_answer() {
    let stream = w3(1_000_000);
    assert_eq!(stream_hash(&stream), 0xf0ed_b0d7_147c_5d99);
    let expected = answer(449_009, 136_532_100, 257_568_816_500, 504_788);
    assert_answers(&stream, 1_000, expected);
}

#[test]
fn w2_gives_the_known_answer() {
    let stream = w2();
    let count = |kind: Kind| stream.iter().filter(|op: &&Op| op.kind == kind).count();
    assert_eq!(stream.len(), 3_001_000);
    assert_eq!(count(Kind::Add), 272_014);
    assert_eq!(count(Kind::ImmediateOrCancel), 90_041);
    assert_eq!(count(Kind::Cancel), 179_717);
    assert_eq!(count(Kind::Move), 2_459_228);
    assert_eq!(stream_hash(&stream), 0x5e72_7f83_eb30_dc3e);
    let expected = answer(162_006, 494_607, 4_946_044_659, 3_436);
    assert_answers(&stream, 1, expected);
}
