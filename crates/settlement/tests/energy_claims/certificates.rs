//! Minting, double claims, freezing, storage: each rule once, by its own code.

use gridrig_metering::VerifiedReading;
use gridrig_quantity::Energy;
use gridrig_settlement::MeterPeriod;
use gridrig_settlement::certificates::{
    Asset, CertificateError, Claim, Direction, Event, Interval, LotState, Register, Scheme, Source,
    SourceKind, Step, credited, key,
};
use proptest::prelude::*;

use crate::support::{Bench, METERS, READINGS, readings};

pub fn asset(byte: u8) -> Asset {
    Asset::from_bytes(&[byte; 32]).unwrap()
}

fn source(meter: usize, of: Asset, kind: SourceKind) -> Source {
    Source {
        asset: of,
        meter: METERS[meter].to_owned(),
        serial: format!("serial of {}", METERS[meter]),
        kind,
        start: readings()[meter][0].export().unwrap(),
        carried_milliwh: 0,
    }
}

/// A register in which meter n is the generator of asset n + 1.
pub fn register() -> Register {
    let mut register = Register::new();
    for (meter, name) in METERS.iter().enumerate() {
        let asset = asset(meter as u8 + 1);
        let point = format!("point of {name}");
        register.apply(Event::Named { point, asset }).unwrap();
        let generator = source(meter, asset, SourceKind::Generation);
        register.apply(Event::Enrolled(generator)).unwrap();
    }
    register
}

fn period(meter: usize, from: usize, to: usize) -> MeterPeriod {
    let read = &readings()[meter];
    MeterPeriod::new("anybody", read[from].clone(), read[to].clone()).unwrap()
}

fn mint(register: &mut Register, period: &MeterPeriod) -> Result<Option<Claim>, CertificateError> {
    let claim = register.mint(period, Scheme::Certificate, "issuer", "alice")?;
    if let Some(claim) = claim
        .clone()
        .filter(|claim| claim.number > register.events())
    {
        register.apply(Event::Claimed(claim))?;
    }
    Ok(claim)
}

/// What a chain of intervals mints, from the sentence of the rule: the whole, rounded down.
fn whole_wh(meter: usize, from: usize, to: usize) -> i64 {
    let counted = |n: usize| readings()[meter][n].export().unwrap().milliwh();
    (counted(to) - counted(0)) / 1000 - (counted(from) - counted(0)) / 1000
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn prop_any_cut_of_a_day_mints_the_whole_rounded_down_once(
        meter in 0..METERS.len(),
        cuts in proptest::collection::btree_set(1..READINGS - 1, 0..READINGS - 2),
        reverse in any::<bool>(),
    ) {
        let mut edges = vec![0];
        edges.extend(&cuts);
        edges.push(READINGS - 1);
        let mut intervals: Vec<_> = edges.windows(2).map(|pair| (pair[0], pair[1])).collect();
        intervals.retain(|(from, to)| to - from <= 4);
        if reverse {
            intervals.reverse();
        }
        let mut register = register();
        let mut expected = 0;
        for (from, to) in intervals {
            mint(&mut register, &period(meter, from, to)).unwrap();
            expected += whole_wh(meter, from, to);
        }
        prop_assert_eq!(register.supply().minted_wh, expected as u128);
    }

    #[test]
    fn prop_claims_never_share_a_quantum(
        asked in proptest::collection::vec(
            (1..3_u8, any::<bool>(), 0..20_u64, 1..6_u64), 1..24),
    ) {
        let mut register = register();
        let mut taken = std::collections::BTreeSet::new();
        for (of, exported, first, quanta) in asked {
            let direction = if exported { Direction::Export } else { Direction::Import };
            let claim = notice(&register, of, direction, first, quanta);
            let wanted: Vec<_> = (first..first + quanta).map(|n| (of, exported, n)).collect();
            let overlaps = wanted.iter().any(|quantum| taken.contains(quantum));
            let entered = register.apply(Event::Claimed(claim.clone()));
            match entered {
                Ok(()) => {
                    prop_assert!(!overlaps);
                    taken.extend(wanted);
                }
                Err(CertificateError::DoubleClaim { record, refused }) => {
                    prop_assert!(overlaps);
                    prop_assert_eq!(*refused, claim);
                    prop_assert!(record.interval.iter().any(|n| n >= first && n < first + quanta));
                }
                Err(other) => prop_assert!(false, "{other}"),
            }
        }
    }
}

pub fn notice(register: &Register, of: u8, direction: Direction, first: u64, quanta: u64) -> Claim {
    Claim {
        number: register.events() + 1,
        asset: asset(of),
        direction,
        interval: Interval::new(first, quanta).unwrap(),
        energy_wh: 5,
        scheme: Scheme::Certificate,
        issuer: "another issuer".to_owned(),
        holder: "bob".to_owned(),
        is_from_storage: false,
        backing: None,
    }
}

/// The readings of one edge may differ by seconds: what lies between them is claimed once.
#[test]
fn a_unit_is_claimed_once_also_where_two_readings_stand_for_one_edge() {
    let mut bench = Bench::new();
    let mut read = |n, time: &str, export| {
        let time = format!("2016-06-20T{time},000+0000 S");
        bench.read(0, n, &time, 0, export)
    };
    let at_noon = read(1, "12:00:00", 0);
    let early = read(2, "12:14:52", 8_000);
    let edge = read(3, "12:15:00", 10_000);
    let later = read(4, "12:30:00", 20_000);
    let mut register = Register::new();
    let point = "p".to_owned();
    register
        .apply(Event::Named {
            point,
            asset: asset(1),
        })
        .unwrap();
    let mut generator = source(0, asset(1), SourceKind::Generation);
    generator.start = Energy::ZERO;
    register.apply(Event::Enrolled(generator)).unwrap();
    let between = |one: &VerifiedReading, other: &VerifiedReading| {
        MeterPeriod::new("p", one.clone(), other.clone()).unwrap()
    };
    let first = mint(&mut register, &between(&at_noon, &edge))
        .unwrap()
        .unwrap();
    match mint(&mut register, &between(&early, &later)) {
        Err(CertificateError::DoubleClaim { record, .. }) => assert_eq!(*record, first),
        other => panic!("{other:?}"),
    }
    let second = mint(&mut register, &between(&edge, &later))
        .unwrap()
        .unwrap();
    assert_eq!((first.energy_wh, second.energy_wh), (10, 10));
    let beyond = Claim {
        number: register.events() + 1,
        interval: Interval::new(0, 1).unwrap(),
        energy_wh: 11,
        ..second
    };
    let beyond = register.apply(Event::Claimed(beyond));
    assert_eq!(code(beyond), "settlement.certificate_beyond");
}

fn code<T: std::fmt::Debug>(outcome: Result<T, CertificateError>) -> &'static str {
    outcome.unwrap_err().code()
}

#[test]
fn each_rule_of_claims_is_refused_by_its_own_code() {
    let mut r = register();
    let point = || "point of m-alice".to_owned();
    let named = |point: String, of| Event::Named { point, asset: of };
    let of = |change: &dyn Fn(&mut Source)| {
        let mut changed = source(0, asset(1), SourceKind::Generation);
        change(&mut changed);
        Event::Enrolled(changed)
    };
    let split = period(0, 0, 1)
        .split(&[readings()[0][0].time_ms() + 300_000])
        .unwrap();
    let storage = SourceKind::Storage {
        efficiency_permille: 1001,
    };
    let found = [
        code(Asset::from_bytes(&[1; 31])),
        code(Asset::from_bytes(&[0; 32])),
        code(r.apply(named(String::new(), asset(9)))),
        code(r.apply(of(&|source| source.carried_milliwh = 1000))),
        code(r.apply(of(&|source| source.kind = storage))),
        code(Interval::new(0, 0)),
        code(Interval::new(0, 289)),
        code(Interval::new(u64::MAX, 1)),
        code(r.mint(&period(0, 0, 5), Scheme::Certificate, "i", "h")),
        code(r.apply(named(point(), asset(9)))),
        code(r.apply(named("elsewhere".to_owned(), asset(1)))),
        code(r.apply(of(&|source| source.asset = asset(9)))),
        code(r.apply(of(&|source| source.asset = asset(2)))),
        code(Register::new().mint(&period(0, 0, 1), Scheme::Certificate, "i", "h")),
        code(r.mint(&split[0], Scheme::Certificate, "i", "h")),
        code(r.apply(Event::Claimed(Claim {
            energy_wh: 0,
            ..notice(&r, 1, Direction::Export, 0, 1)
        }))),
        code(r.apply(Event::Claimed(Claim {
            number: 1,
            ..notice(&r, 1, Direction::Export, 0, 1)
        }))),
        code(credited(&[1], &[])),
        code(credited(&[1], &[Some(10_000_001)])),
    ];
    let expected = [
        "settlement.certificate_asset",
        "settlement.certificate_asset",
        "settlement.certificate_text",
        "settlement.certificate_carried",
        "settlement.certificate_efficiency",
        "settlement.certificate_interval_bound",
        "settlement.certificate_interval_bound",
        "settlement.certificate_interval_bound",
        "settlement.certificate_interval_long",
        "settlement.certificate_point_repeated",
        "settlement.certificate_asset_repeated",
        "settlement.certificate_asset_unknown",
        "settlement.certificate_source_repeated",
        "settlement.certificate_source_unknown",
        "settlement.certificate_part",
        "settlement.certificate_empty",
        "settlement.certificate_number",
        "settlement.carbon_rates",
        "settlement.carbon_rate",
    ];
    assert_eq!(found, expected);
    assert_eq!(r, register(), "a refusal changed something");
}

#[test]
fn a_meter_below_its_start_is_refused() {
    let mut register = Register::new();
    let named = Event::Named {
        point: "p".to_owned(),
        asset: asset(1),
    };
    register.apply(named).unwrap();
    let mut late = source(0, asset(1), SourceKind::Generation);
    late.start = late.start.plus(Energy::from_milliwh(1).unwrap()).unwrap();
    register.apply(Event::Enrolled(late)).unwrap();
    let minted = register.mint(&period(0, 0, 1), Scheme::Certificate, "i", "h");
    assert_eq!(code(minted), "settlement.certificate_below_start");
}

/// A meter and a period in which it exported more than a Wh.
fn generating() -> (usize, MeterPeriod) {
    (0..METERS.len())
        .flat_map(|meter| (0..READINGS - 1).map(move |n| (meter, period(meter, n, n + 1))))
        .find(|(_, period)| period.export().milliwh() > 10_000)
        .unwrap()
}

#[test]
fn the_same_claim_again_is_no_second_one_and_any_other_is_refused_with_both() {
    let (_, period) = generating();
    let mut register = register();
    let first = mint(&mut register, &period).unwrap().unwrap();
    let events = register.events();
    assert_eq!(mint(&mut register, &period).unwrap(), Some(first.clone()));
    assert_eq!(register.events(), events);
    let others = [
        (Scheme::Certificate, "another issuer", "alice"),
        (Scheme::CarbonCredit, "issuer", "alice"),
        (Scheme::Share, "issuer", "alice"),
        (Scheme::Certificate, "issuer", "mallory"),
    ];
    for (scheme, issuer, holder) in others {
        match register.mint(&period, scheme, issuer, holder) {
            Err(CertificateError::DoubleClaim { record, refused }) => {
                assert_eq!(*record, first);
                assert_eq!((refused.scheme, &*refused.issuer), (scheme, issuer));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_withdrawn_reading_freezes_what_it_backs_and_tells_what_is_unbacked() {
    let (_, period) = generating();
    let mut register = register();
    let claim = mint(&mut register, &period).unwrap().unwrap();
    let retire = |from_wh, energy_wh| Event::Stepped {
        certificate: claim.number,
        from_wh,
        energy_wh,
        holder: "alice".to_owned(),
        step: Step::End(LotState::Retired {
            purpose: "for the record".to_owned(),
            beneficiary: "alice".to_owned(),
        }),
    };
    register.apply(retire(0, 3)).unwrap();
    let digest = *period.closing().unwrap().digest();
    assert_eq!(register.standing_on(&[0; 32]), Vec::<u64>::new());
    assert_eq!(register.standing_on(&digest), vec![claim.number]);
    let frozen = Event::Frozen {
        certificate: claim.number,
        digest,
    };
    register.apply(frozen.clone()).unwrap();
    assert_eq!(register.standing_on(&digest), Vec::<u64>::new());
    assert_eq!(
        code(register.apply(frozen)),
        "settlement.certificate_frozen"
    );
    assert_eq!(
        code(register.apply(retire(3, 1))),
        "settlement.certificate_frozen"
    );
    let supply = register.supply();
    assert_eq!((supply.unbacked_wh, supply.held_wh), (3, 0));
    assert_eq!(supply.frozen_wh, u128::from(claim.energy_wh) - 3);
    // The quanta stay taken: what was withdrawn is not issued again.
    let again = register.mint(&period, Scheme::CarbonCredit, "issuer", "alice");
    assert_eq!(code(again), "settlement.certificate_double_claim");
}

#[test]
fn a_storage_mints_what_certificates_charged_less_its_losses() {
    let (generator, generated) = generating();
    let battery = (generator + 1) % METERS.len();
    let discharged = (0..READINGS - 1)
        .map(|n| period(battery, n, n + 1))
        .find(|period| period.export().milliwh() > 10_000)
        .unwrap();
    let mut register = Register::new();
    let kinds = [
        (generator, SourceKind::Generation),
        (
            battery,
            SourceKind::Storage {
                efficiency_permille: 900,
            },
        ),
    ];
    for (meter, kind) in kinds {
        let asset = asset(meter as u8 + 1);
        let point = METERS[meter].to_owned();
        register.apply(Event::Named { point, asset }).unwrap();
        register
            .apply(Event::Enrolled(source(meter, asset, kind)))
            .unwrap();
    }
    assert_eq!(
        code(mint(&mut register, &discharged)),
        "settlement.certificate_uncharged"
    );
    let solar = mint(&mut register, &generated).unwrap().unwrap();
    assert!(!solar.is_from_storage);
    let charge = |energy_wh, storage: u8| Event::Stepped {
        certificate: solar.number,
        from_wh: 0,
        energy_wh,
        holder: "alice".to_owned(),
        step: Step::End(LotState::Charged {
            asset: asset(storage),
        }),
    };
    let not_storage = register.apply(charge(7, generator as u8 + 1));
    assert_eq!(code(not_storage), "settlement.certificate_not_storage");
    register.apply(charge(7, battery as u8 + 1)).unwrap();
    let stored = mint(&mut register, &discharged).unwrap().unwrap();
    // 7 Wh at 900 permille are 6.3 Wh.
    assert_eq!((stored.energy_wh, stored.is_from_storage), (6, true));
    assert_eq!(register.charged_milliwh(&asset(battery as u8 + 1)), 300);
    assert_eq!(
        code(register.apply(charge(1, battery as u8 + 1))),
        "settlement.certificate_ended"
    );
}

#[test]
fn the_key_is_that_of_the_contract() {
    // By the Keccak in plain Python of tests/chain; tests/certificates asks the contract itself.
    let pinned = "790e5865524bf963";
    let found = key(&asset(0x5a), 4_887_083, Direction::Export);
    let hex: String = found[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(hex, pinned);
    assert_ne!(found, key(&asset(0x5a), 4_887_083, Direction::Import));
}

#[test]
fn a_missing_rate_withholds_and_comes_to_the_same_sum_later() {
    let energy = [1_000, 333, 777];
    let late = credited(&energy, &[Some(400_001), None, Some(7)]).unwrap();
    assert_eq!((late[1].exact_micrograms, late[1].grams), (None, 0));
    let known = credited(&energy, &[Some(400_001), Some(250_000), Some(7)]).unwrap();
    let sum: u64 = known.iter().map(|one| one.grams).sum();
    let exact: u128 = 1_000 * 400_001 + 333 * 250_000 + 777 * 7;
    assert_eq!(u128::from(sum), exact / 1_000_000);
}
