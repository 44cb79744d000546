"""Every way a scenario file can be wrong, alone and beside its rig."""

from itertools import pairwise

import pytest
from offers import registry
from small_rig import RIG, Edit, edited, small_rig

from gridrig.campaign.scenario import Scenario, Tick, describe_scenario
from gridrig.campaign.scenario_fit import check_together
from gridrig.devices.emulators.fault_spec import OCCASION
from gridrig.devices.emulators.inverter import InverterEmulator
from gridrig.errors import RigError
from gridrig.rig.toml_file import parse_toml
from gridrig.suggestions import one_of

FILE = "small-scenario.toml"
TEXT = """\
[scenario]
title = "small"
start = "2016-07-10T12:00:00Z"
duration_s = 1800
period_s = 900
seed = 1

[[window]]
from_s = 0
tick_s = 60
[[window]]
from_s = 900
tick_s = 0.5
[[window]]
from_s = 960
tick_s = 60

[market]
mechanism = "pay-as-clear"
gate_closure_s = 300
feed_in_micro_per_kwh = 80000
retail_micro_per_kwh = 300000
long_price_micro_per_kwh = 20000
short_price_micro_per_kwh = 400000

[[event]]
name = "opening"
at_s = 900
do = "open"
target = "pcc"

[[event]]
at_s = 1200
do = "reclose"
target = "pcc"

[[event]]
at_s = 905.5
do = "cloud"
target = "pv"
factor = 0.2

[[fault]]
device = "pv-1"
at_s = 60
name = "late_reply"
delay_s = 1.5

[[criterion]]
name = "trip_time_s"
unit = "s"
max = 2.0
source = "IEEE 1547-2018 8.1"
event = "opening"
"""
KNOWN = {"trip_time_s": "s", "island_f_min_hz": "Hz"}
LATE = "fault 'late_reply'"

Said = tuple[int | None, str, str, str, str | None]

CASES: dict[str, tuple[tuple[Edit, ...], list[Said]]] = {
    "a key nobody knows": (
        (("seed = 1", "sead = 1"),),
        [
            (
                6,
                "scenario.sead",
                "an unknown key",
                'one of "title", "start", "duration_s", "period_s", "seed", "away_s_max"',
                "seed",
            )
        ],
    ),
    "a seed that is no integer": (
        (("seed = 1", "seed = 1.5"),),
        [(6, "scenario.seed", "1.5", "an integer from 0 to 9223372036854775807", None)],
    ),
    "a time away that is longer than a week": (
        (("seed = 1", "seed = 1\naway_s_max = 1e6"),),
        [(7, "scenario.away_s_max", "1000000", "a finite number from 0 to 604800", None)],
    ),
    "a start that is no time": (
        (("2016-07-10T12:00:00Z", "2016-07-10 12:00"),),
        [
            (
                3,
                "scenario.start",
                '"2016-07-10 12:00"',
                'a UTC time such as "2016-01-01T00:00:00Z"',
                None,
            )
        ],
    ),
    "a start inside a delivery period": (
        (("12:00:00Z", "12:01:00Z"),),
        [
            (
                3,
                "scenario.start",
                '"2016-07-10T12:01:00Z"',
                "a time that begins a delivery period of 900 s",
                None,
            )
        ],
    ),
    "an end inside a delivery period": (
        (("duration_s = 1800", "duration_s = 1860"),),
        [(4, "scenario.duration_s", "1860", "a multiple of period_s = 900", None)],
    ),
    "no window at the beginning": (
        (("from_s = 0", "from_s = 60"),),
        [(9, "window[0].from_s", "60", "0: a run begins with it", None)],
    ),
    "windows that do not rise": (
        (("from_s = 960", "from_s = 900"),),
        [(15, "window[2].from_s", "900", "above 900, where the window before begins", None)],
    ),
    "a window after the end": (
        (("from_s = 960", "from_s = 1800"),),
        [(15, "window[2].from_s", "1800", "before the end at 1800 s", None)],
    ),
    "a tick that does not divide its window": (
        (("tick_s = 0.5", "tick_s = 0.7"),),
        [(13, "window[1].tick_s", "0.7", "a divisor of the window's 60 s", None)],
    ),
    "a tick of no length": (
        (("tick_s = 0.5", "tick_s = 0"),),
        [(13, "window[1].tick_s", "0", "a finite number above 0", None)],
    ),
    "more ticks than anyone wants": (
        (("tick_s = 0.5", "tick_s = 0.000001"),),
        [(8, "window[0]", "60000029 ticks in all", "at most 10000000", None)],
    ),
    "a period edge between ticks": (
        (("from_s = 900\ntick_s = 0.5", "from_s = 840\ntick_s = 120"),),
        [
            (
                11,
                "window[1]",
                "a period edge at 900 s",
                "a tick of the window: 840 s and every 120 s after it",
                None,
            ),
            (
                28,
                "event 'opening'.at_s",
                "900",
                "a tick of the window: 840 s and every 120 s after it",
                None,
            ),
            (
                38,
                "event[2].at_s",
                "905.5",
                "a tick of the window: 840 s and every 120 s after it",
                None,
            ),
        ],
    ),
    "a gate closure between ticks": (
        (("gate_closure_s = 300", "gate_closure_s = 290"),),
        [
            (
                8,
                "window[0]",
                "a gate closure at 610 s",
                "a tick of the window: 0 s and every 60 s after it",
                None,
            )
        ],
    ),
    "a gate closure before the period before": (
        (("gate_closure_s = 300", "gate_closure_s = 960"),),
        [(20, "market.gate_closure_s", "960", "at most period_s = 900", None)],
    ),
    "a mechanism nobody offers": (
        (('"pay-as-clear"', '"pay-as-cleared"'),),
        [
            (
                19,
                "market.mechanism",
                "mechanism 'pay-as-cleared', which nobody registered",
                'one of "pay-as-bid", "pay-as-clear", "zonal"',
                "pay-as-clear",
            )
        ],
    ),
    "a price between ticks": (
        (("80000", "80500"),),
        [
            (
                21,
                "market.feed_in_micro_per_kwh",
                "80500",
                "a multiple of tick_micro_per_kwh = 1000",
                None,
            )
        ],
    ),
    "a price that pays whoever is short": (
        (("short_price_micro_per_kwh = 400000", "short_price_micro_per_kwh = 200000"),),
        [
            (
                24,
                "market.short_price_micro_per_kwh",
                "200000",
                "at least retail_micro_per_kwh = 300000",
                None,
            )
        ],
    ),
    "a lot that would round": (
        (
            (
                "short_price_micro_per_kwh = 400000",
                "short_price_micro_per_kwh = 400000\nlot_milliwh = 1500",
            ),
        ),
        [
            (
                25,
                "market.lot_milliwh",
                "1500",
                "a multiple of 1000, or a lot at tick_micro_per_kwh = 1000 would round",
                None,
            )
        ],
    ),
    "a fee that pays": (
        (
            (
                "short_price_micro_per_kwh = 400000",
                "short_price_micro_per_kwh = 400000\n"
                "[market.settlement]\ngrid_fee_micro_per_kwh = -1\nlosses = 'importer'",
            ),
        ),
        [
            (
                26,
                "market.settlement.grid_fee_micro_per_kwh",
                "-1",
                "an integer from 0 to 1000000000",
                None,
            ),
            (
                27,
                "market.settlement.losses",
                '"importer"',
                'one of "house", "importers"',
                "importers",
            ),
        ],
    ),
    "island prices that pay whoever is short": (
        (
            (
                "short_price_micro_per_kwh = 400000",
                "short_price_micro_per_kwh = 400000\n"
                "[market.settlement]\nisland_short_price_micro_per_kwh = 10000",
            ),
        ),
        [
            (
                25,
                "market.settlement",
                "short price 10000 micro/kWh is below long price 20000 micro/kWh",
                "rules that fit each other",
                None,
            )
        ],
    ),
    "a deposit for shortfalls without a bound": (
        (
            (
                "short_price_micro_per_kwh = 400000",
                "short_price_micro_per_kwh = 400000\n"
                "[market.settlement]\ndeposit_micro = 1000000\nfloor_micro_per_kwh = 0",
            ),
        ),
        [
            (
                25,
                "market.settlement.ceiling_micro_per_kwh",
                "nothing",
                "a price, for a deposit has to cover the worst shortfall it allows",
                None,
            )
        ],
    ),
    "an event nobody knows": (
        (('do = "reclose"', 'do = "recluse"'),),
        [
            (
                34,
                "event[1].do",
                '"recluse"',
                'one of "open", "reclose", "switch", "tap", "regulator", "start", "stop", '
                '"cloud", "bms_limit", "set_soc", "charge_limit", "charge_power", "plug_in", '
                '"plug_out", "override", "thermostat", "release", "overask", "trip", "dispatch", '
                '"drop_out", "inflate", "ledger_down", "ledger_up"',
                "reclose",
            )
        ],
    ),
    "an event that is already so": (
        (('do = "reclose"', 'do = "open"'),),
        [
            (
                34,
                "event[1].do",
                '"open" at 1200 s, when the pcc is open',
                "the pcc to be closed by then",
                None,
            )
        ],
    ),
    "an event between ticks": (
        (("at_s = 905.5", "at_s = 905.3"),),
        [
            (
                38,
                "event[2].at_s",
                "905.3",
                "a tick of the window: 900 s and every 0.5 s after it",
                None,
            )
        ],
    ),
    "an event after the end": (
        (("at_s = 1200", "at_s = 1800"),),
        [(33, "event[1].at_s", "1800", "before the end at 1800 s", None)],
    ),
    "an event without its value": (
        (("factor = 0.2\n", ""),),
        [(37, "event[2].factor", "nothing", "a finite number from 0 to 1", None)],
    ),
    "a limit event that limits nothing": (
        (('do = "cloud"\ntarget = "pv"\nfactor = 0.2', 'do = "bms_limit"\ntarget = "battery-1"'),),
        [(37, "event[2]", "neither charge_a nor discharge_a", "a limit to set", None)],
    ),
    "a count that is none": (
        (("delay_s = 1.5", "delay_s = 1.5\ncount = 0"),),
        [(48, f"{LATE}.count", "0", "an integer of at least 1", None)],
    ),
    "a fault without its device": (
        (('device = "pv-1"\n', ""),),
        [(43, f"{LATE}.device", "nothing", "a text that is not empty", None)],
    ),
    "a fault's key misspelt": (
        (('device = "pv-1"', 'devise = "pv-1"'),),
        [
            (
                44,
                f"{LATE}.devise",
                "an unknown key",
                'one of "device", "at_s", "name"',
                "device",
            )
        ],
    ),
    "no criterion": (
        ((TEXT[TEXT.index("[[criterion]]") :], ""),),
        [
            (
                None,
                "criterion",
                "no criterion",
                "at least one [[criterion]] to judge the run by",
                None,
            )
        ],
    ),
    "a criterion that could not fail": (
        (("max = 2.0\n", ""),),
        [
            (
                49,
                "criterion 'trip_time_s'",
                "neither min nor max",
                "a limit, or the criterion could not fail",
                None,
            )
        ],
    ),
    "a range nothing is in": (
        (("max = 2.0", "max = 2.0\nmin = 3.0"),),
        [(53, "criterion 'trip_time_s'.min", "3", "at most max = 2", None)],
    ),
    "a limit that is not finite": (
        (("max = 2.0", "max = inf"),),
        [(52, "criterion 'trip_time_s'.max", "inf", "a finite number", None)],
    ),
    "a measurement nobody takes": (
        (('name = "trip_time_s"', 'name = "trip_times_s"'),),
        [
            (
                50,
                "criterion 'trip_times_s'.name",
                '"trip_times_s"',
                "a measurement of the catalogue",
                "trip_time_s",
            )
        ],
    ),
    "another unit than the measurement's": (
        (('unit = "s"', 'unit = "ms"'),),
        [(51, "criterion 'trip_time_s'.unit", '"ms"', '"s", the unit of trip_time_s', None)],
    ),
    "an event no criterion can mean": (
        (('event = "opening"', 'event = "openning"'),),
        [(54, "criterion 'trip_time_s'.event", '"openning"', 'one of "opening"', "opening")],
    ),
    "two criteria for one measurement": (
        (
            (
                'event = "opening"\n',
                '\n[[criterion]]\nname = "trip_time_s"\nunit = "s"\nmax = 1\nsource = "x"\n',
            ),
        ),
        [
            (
                56,
                "criterion 'trip_time_s'.name",
                '"trip_time_s", which line 49 judges already',
                "one criterion for a measurement",
                None,
            )
        ],
    ),
}


def small_scenario(*edits: Edit) -> Scenario:
    return describe_scenario(parse_toml(edited(TEXT, edits).encode(), FILE), KNOWN)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.replace(" ", "-"))
def test_one_mistake_gives_exactly_its_issues(case: str) -> None:
    edits, expected = CASES[case]

    with pytest.raises(RigError) as caught:
        small_scenario(*edits)

    found = [
        (i.line, i.key, i.found, i.expected, i.near_miss)  # type: ignore[attr-defined]
        for i in caught.value.issues
    ]
    assert found == expected


def test_ticks_cover_the_run_without_gap_or_rounding() -> None:
    scenario = small_scenario()

    ticks = list(scenario.ticks())

    assert len(ticks) == scenario.ticks_total() == 15 + 120 + 14
    assert ticks[0] == Tick(0.0, 60.0)
    assert ticks[15:18] == [Tick(900.0, 0.5), Tick(900.5, 0.5), Tick(901.0, 0.5)]
    assert all(a.t_s + a.dt_s == b.t_s for a, b in pairwise(ticks))
    assert ticks[-1].t_s + ticks[-1].dt_s == scenario.duration_s


def test_tenths_of_a_second_are_exact_ticks() -> None:
    scenario = small_scenario(("tick_s = 0.5", "tick_s = 0.1"), ("905.5", "905.3"))

    times = [tick.t_s for tick in scenario.ticks()]

    assert 905.3 in times
    assert 900.7 in times


def test_events_and_faults_carry_their_values_in_time_order() -> None:
    scenario = small_scenario()

    assert [(e.at_s, e.do, e.target, dict(e.parameters)) for e in scenario.events] == [
        (900.0, "open", "pcc", {}),
        (905.5, "cloud", "pv", {"factor": 0.2}),
        (1200.0, "reclose", "pcc", {}),
    ]
    (fault,) = scenario.faults
    assert (fault.device, fault.name, dict(fault.parameters)) == (
        "pv-1",
        "late_reply",
        {"delay_s": 1.5},
    )


# A real storage with a real pack, beside emulated devices.
REAL_PACK: tuple[Edit, ...] = (
    ('clock = "virtual"', 'clock = "wall"'),
    ('port = "auto", baudrate = 19200', 'port = "/dev/ttyS8", baudrate = 19200'),
    ('terminal = "model"\nbms', 'terminal = { grid = true, analyser = "meter-storage" }\nbms'),
    ('emulate = { model = "storage", s_va = 5000, seed = 2 }\n', ""),
    ('port = "auto", baudrate = 9600', 'port = "/dev/ttyS9", baudrate = 9600'),
    ('emulate = { model = "pack", cells = 16, capacity_ah = 200, soc = 0.55 }\n', ""),
    ('port = 0, unit = 3, gateway = "gw" }', "port = 502, unit = 3 }"),
    ('emulate = { model = "meter", seed = 13, serial = "S-13" }\n', ""),
    ('former = "storage-1"\n', ""),
    ("[island]\n", ""),
)
NO_ISLAND: tuple[Edit, ...] = REAL_PACK[-2:]
NO_RECLOSE: tuple[Edit, ...] = (('[[event]]\nat_s = 1200\ndo = "reclose"\ntarget = "pcc"\n\n', ""),)
TOGETHER: dict[str, tuple[tuple[Edit, ...], tuple[Edit, ...], list[Said]]] = {
    "a cloud over nothing": (
        (),
        (('target = "pv"', 'target = "pv-2"'),),
        [(40, "event[2].target", '"pv-2"', 'one of "pv", "pv-1", emulated', "pv-1")],
    ),
    "a pack that is not there": (
        (),
        (
            (
                'do = "cloud"\ntarget = "pv"\nfactor = 0.2',
                'do = "set_soc"\ntarget = "storage-1"\nsoc = 1',
            ),
        ),
        [(40, "event[2].target", '"storage-1"', 'one of "battery-1", emulated', None)],
    ),
    "a connection that is not there": (
        (
            (
                '[feeder]\nengine = "pandapower"\nnetwork = "simbench:1-LV-rural1--2-no_sw"\n'
                'pcc = "trafo:0"\n',
                "",
            ),
        ),
        (),
        [
            (30, "event 'opening'.target", '"pcc"', "a [feeder] with a pcc in small.toml", None),
            (35, "event[1].target", '"pcc"', "a [feeder] with a pcc in small.toml", None),
        ],
    ),
    "a reclose with nothing to close by": (
        NO_ISLAND,
        (),
        [
            (
                34,
                "event[1].do",
                '"reclose" of the pcc, with nothing to close by',
                "[island] in small.toml, with a former, and `sync` if not by IEEE 1547",
                None,
            )
        ],
    ),
    "a fault of a device that is not there": (
        (),
        (('device = "pv-1"', 'device = "pv-2"'),),
        [(44, f"{LATE}.device", '"pv-2"', "an emulated device of the rig", "pv-1")],
    ),
    "a fault nobody knows": (
        (),
        (('name = "late_reply"', 'name = "late_replies"'),),
        [
            (
                46,
                "fault 'late_replies'.name",
                '"late_replies"',
                one_of(InverterEmulator.faults_on("modbus-tcp")),
                "late_reply",
            )
        ],
    ),
    "a fault without what it takes": (
        (),
        (("delay_s = 1.5", "delay = 1.5"),),
        [
            (
                43,
                f"{LATE}.delay_s",
                "nothing",
                "a number from 0 to 86400, which the fault 'late_reply' takes",
                None,
            ),
            (47, f"{LATE}.delay", "an unknown key", one_of(["delay_s", *OCCASION]), "delay_s"),
        ],
    ),
    "a market without the main grid": (
        ((RIG[RIG.index("[[participant]]") : RIG.index("[[key]]")], ""),),
        (),
        [
            (
                18,
                "market",
                "a market without the main grid",
                'a participant with agent = { kind = "grid" } in small.toml',
                None,
            )
        ],
    ),
    "an agent's price outside the imbalance prices": (
        (('kind = "consumer"', 'kind = "consumer", bid_micro_per_kwh = 500000'),),
        (),
        [
            (
                91,
                "participant 'home'.agent.bid_micro_per_kwh",
                "500000",
                "from 20000 to 400000, the scenario's imbalance prices",
                None,
            )
        ],
    ),
    "what a real pack holds is traded and nobody says how much that is": (
        REAL_PACK,
        NO_RECLOSE,
        [
            (
                40,
                "device 'battery-1'.limits.capacity_ah",
                "nothing",
                "its nominal capacity in Ah, for operator trades what it holds",
                None,
            )
        ],
    ),
}


def test_scenario_fits_its_rig_as_both_stand() -> None:
    assert check_together(small_rig(), small_scenario(), registry()) == ()


def test_a_real_pack_with_a_capacity_fits() -> None:
    rig = small_rig(*REAL_PACK, ("soc_min = 0.1", "soc_min = 0.1, capacity_ah = 200"))
    assert check_together(rig, small_scenario(*NO_RECLOSE), registry()) == ()


def test_a_pcc_that_opens_for_good_or_after_the_slice_needs_no_island() -> None:
    rig, scenario = small_rig(*NO_ISLAND), small_scenario()
    assert check_together(rig, small_scenario(*NO_RECLOSE), registry()) == ()
    assert check_together(rig, scenario, registry(), to_s=1200) == ()
    assert len(check_together(rig, scenario, registry(), to_s=1201)) == 1


def test_an_agents_price_is_held_to_the_windows_of_a_tariff_and_to_no_other_price() -> None:
    short = "short_price_micro_per_kwh = 400000\n"
    rig = small_rig(('kind = "consumer"', 'kind = "consumer", bid_micro_per_kwh = 500000'))

    def issues_with(day: int, night: int) -> list[str]:
        windows = "".join(
            f"[[market.tariff]]\nfrom_hour = {begin}\nto_hour = {end}\n"
            f"short_price_micro_per_kwh = {price}\n"
            for begin, end, price in ((6, 22, day), (22, 6, night))
        )
        scenario = small_scenario((short, short + windows))
        return [issue.expected for issue in check_together(rig, scenario, registry())]

    assert issues_with(600_000, 500_000) == []
    told = "from 20000 to 450000, the scenario's imbalance prices"
    assert issues_with(600_000, 450_000) == [told]


@pytest.mark.parametrize("case", TOGETHER, ids=lambda case: case.replace(" ", "-"))
def test_what_does_not_fit_together_is_an_issue(case: str) -> None:
    rig_edits, scenario_edits, expected = TOGETHER[case]

    issues = check_together(small_rig(*rig_edits), small_scenario(*scenario_edits), registry())

    assert [
        (i.line, i.key, i.found, i.expected, i.near_miss)  # type: ignore[attr-defined]
        for i in issues
    ] == expected
