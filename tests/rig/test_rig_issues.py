"""Every way a rig file can be wrong: each kind once, with its place, words and near miss."""

import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from offers import points, registry
from small_rig import FILE, RIG, VALID_FROM, Edit, edited, issues_of, small_rig

from gridrig.errors import RigError
from gridrig.metering.words import PROFILES
from gridrig.rig.description import Rig, describe, load_rig, override_emulate
from gridrig.rig.feeder_fit import check_feeder
from gridrig.rig.registry import DRIVERS, Registry
from gridrig.rig.toml_file import parse_toml
from gridrig.suggestions import one_of

Said = tuple[int | None, str, str, str, str | None]  # line, key, found, expected, near miss

PV = "device 'pv-1'"
STORAGE = "device 'storage-1'"
PACK = "device 'battery-1'"
PV_EMULATE = 'emulate = { model = "pv", s_va = 11000, profile = "SGen 1", seed = 1 }\n'
PV_LINK = 'link = { kind = "modbus-tcp", host = "127.0.0.1", port = 0, unit = 1 }\n'
REAL_PV = (
    ('clock = "virtual"', 'clock = "wall"'),
    (PV_EMULATE, ""),
    (PV_LINK, PV_LINK.replace("port = 0", "port = 502")),
    ('terminal = "model"', 'terminal = { grid = true, analyser = "meter-pv" }'),
)
REAL_METER = (
    ('emulate = { model = "meter", seed = 12, serial = "S-12" }\n', ""),
    ('port = 0, unit = 2, gateway = "gw" }', "port = 503, unit = 2 }"),
)
ABOVE_0 = "a finite number above 0"
REPOSITORY = Path(__file__).parents[2]
_POINTS = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["entry-points"]
DRIVER_NAMES = "one of " + ", ".join(f'"{name}"' for name in sorted(_POINTS["gridrig.drivers"]))
DEVICE_KEYS = (
    'one of "name", "capability", "driver", "bus", "link", "terminal", "limits", "safe_state", '
    '"parameters", "emulate", "bms", "measures", "branch", "host_dead", "categories", "nameplate"'
    ', "calibration"'
)
METERS = 'one of "meter-home", "meter-pv", "meter-storage", "meter-head"'
TABLES = (
    'one of "rig", "feeder", "island", "device", "motor", "fleet", "aggregator", "participant", '
    '"key", "safe"'
)
TIME = 'a UTC time such as "2016-01-01T00:00:00Z"'
MOMENT = 'a time with its offset, such as "2016-01-01T00:00:00Z"'
KEY_FIELDS = (
    'one of "meter", "algorithm", "public_key", "valid_from", "serial", "key_form", "format", '
    '"profiles", "start_import_milliwh", "start_export_milliwh", "power_tolerance_permille", '
    '"utc_offset", "summer_time", "valid_to", "arrives_by", "revoked", "import_power_w_max", '
    '"export_power_w_max"'
)

CASES: dict[str, tuple[tuple[Edit, ...], list[Said]]] = {
    "a table nobody knows": (
        (("[feeder]", "[feedr]"),),
        [(6, "feedr", "an unknown key", TABLES, "feeder")],
    ),
    "a key nobody knows is not also missing": (
        (("limits = { p_w_max = 10000", "limts = { p_w_max = 10000"),),
        [(21, f"{PV}.limts", "an unknown key", DEVICE_KEYS, "limits")],
    ),
    "a key nobody knows inside a table": (
        (("p_w_max = 10000", "p_w_mx = 10000"),),
        [
            (
                21,
                f"{PV}.limits.p_w_mx",
                "an unknown key",
                'one of "p_w_max", "s_va_max"',
                "p_w_max",
            )
        ],
    ),
    "no limits": (
        (("limits = { p_w_max = 10000, s_va_max = 11000 }\n", ""),),
        [(14, f"{PV}.limits", "nothing", "a table with p_w_max, s_va_max", None)],
    ),
    "no safe state": (
        (("safe_state = { connect = false }\n", ""),),
        [(14, f"{PV}.safe_state", "nothing", "a table with connect, limit_w", None)],
    ),
    "a limit left out": (
        ((", s_va_max = 11000", ""),),
        [(21, f"{PV}.limits.s_va_max", "nothing", ABOVE_0, None)],
    ),
    "true is no number": (
        (("p_w_max = 10000", "p_w_max = true"),),
        [(21, f"{PV}.limits.p_w_max", "true", ABOVE_0, None)],
    ),
    "NaN is no limit": (
        (("p_w_max = 10000", "p_w_max = nan"),),
        [(21, f"{PV}.limits.p_w_max", "nan", ABOVE_0, None)],
    ),
    "infinity is no limit": (
        (("p_w_max = 10000", "p_w_max = inf"),),
        [(21, f"{PV}.limits.p_w_max", "inf", ABOVE_0, None)],
    ),
    "a negative limit": (
        (("p_w_max = 10000", "p_w_max = -1"),),
        [(21, f"{PV}.limits.p_w_max", "-1", ABOVE_0, None)],
    ),
    "a float is no unit": (
        (("unit = 1 }", "unit = 1.0 }"),),
        [(19, f"{PV}.link.unit", "1", "an integer from 1 to 247", None)],
    ),
    "a text is no port": (
        (("port = 0", 'port = "auto"'),),
        [(19, f"{PV}.link.port", '"auto"', "an integer from 0 to 65535", None)],
    ),
    "a truth written as text": (
        (("safe_state = { connect = false }", 'safe_state = { connect = "false" }'),),
        [(22, f"{PV}.safe_state.connect", '"false"', "true or false", None)],
    ),
    "more active than apparent power": (
        (("p_w_max = 10000", "p_w_max = 12000"),),
        [(21, f"{PV}.limits.p_w_max", "12000", "at most s_va_max = 11000", None)],
    ),
    "a safe state beyond the limits": (
        (("power_w = 0", "power_w = -6000"),),
        [
            (
                34,
                f"{STORAGE}.safe_state.power_w",
                "-6000",
                "at most limits.p_w_max = 5000 in magnitude",
                None,
            )
        ],
    ),
    "a lowest charge above the highest": (
        (("soc_min = 0.1", "soc_min = 0.9, soc_max = 0.8"),),
        [(43, f"{PACK}.limits.soc_min", "0.9", "below soc_max = 0.8", None)],
    ),
    "a wrong word": (
        (('clock = "virtual"', 'clock = "virtuel"'),),
        [(3, "rig.clock", '"virtuel"', 'one of "virtual", "wall"', "virtual")],
    ),
    "a wire nobody speaks": (
        (('kind = "modbus-tcp"', 'kind = "modbus-udp"'),),
        [
            (
                19,
                f"{PV}.link.kind",
                '"modbus-udp"',
                'one of "modbus-tcp", "modbus-tls", "modbus-rtu", "serial", "socket", "ocpp"',
                "modbus-tcp",
            )
        ],
    ),
    "two devices of one name": (
        (('name = "battery-1"', 'name = "pv-1"'), ('bms = "battery-1"', 'bms = "pv-1"')),
        [
            (
                38,
                "device 'pv-1'.name",
                '"pv-1", which another device has in line 14',
                "a name of its own",
                None,
            ),
        ],
    ),
    "a name that means something else": (
        (('name = "pv-1"', 'name = "load"'), ('measures = "pv-1"', 'measures = "load"')),
        [
            (
                15,
                "device 'load'.name",
                '"load"',
                'a name other than "head" and "load", which meters measure',
                None,
            ),
            (58, "device 'meter-pv'.bus", "nothing", "the name of a bus of the feeder", None),
            (
                97,
                "participant 'solar'.agent.kind",
                '"producer"',
                "\"consumer\" or \"home\", because 'meter-pv' measures 'load'",
                None,
            ),
        ],
    ),
    "a driver nobody registered": (
        (('driver = "sunspec"', 'driver = "sunspek"'),),
        [
            (
                17,
                f"{PV}.driver",
                "driver 'sunspek', which nobody registered",
                DRIVER_NAMES,
                "sunspec",
            )
        ],
    ),
    "an emulator nobody registered": (
        ((PV_EMULATE, PV_EMULATE.replace("seed", 'emulator = "sunspecs", seed')),),
        [
            (
                23,
                f"{PV}.emulate.emulator",
                "emulator 'sunspecs', which nobody registered",
                DRIVER_NAMES,
                "sunspec",
            )
        ],
    ),
    "a driver for something else": (
        (('driver = "sunspec"', 'driver = "jbd"'),),
        [
            (
                17,
                f"{PV}.driver",
                'driver "jbd", whose capability is "bms"',
                'a driver of capability "inverter"',
                None,
            )
        ],
    ),
    "a driver on another wire": (
        ((PV_LINK, 'link = { kind = "serial", port = "auto", baudrate = 9600 }\n'),),
        [
            (
                19,
                f"{PV}.link.kind",
                '"serial"',
                '"modbus-tcp" or "modbus-tls" or "modbus-rtu", the wire of driver "sunspec"',
                None,
            )
        ],
    ),
    "a driver's parameter of another type": (
        (("parameters = { charge_a_max = 100", 'parameters = { charge_a_max = "100"'),),
        [(42, f"{PACK}.parameters.charge_a_max", '"100"', "a finite number", None)],
    ),
    "a driver's parameter nobody knows": (
        ((PV_LINK, f"{PV_LINK}parameters = {{ timeout = 1 }}\n"),),
        [
            (
                20,
                f"{PV}.parameters.timeout",
                "an unknown key",
                'one of "timeout_s", "retries", "read_count_max", "settings_every", "revert_s", '
                '"adopt_timeout_s", "anti_isl_ena", "detection_register", "detection_on", '
                '"detection_off"',
                "timeout_s",
            )
        ],
    ),
    "a parameter the driver needs": (
        (("charge_a_max = 100, ", ""),),
        [(42, f"{PACK}.parameters.charge_a_max", "nothing", "a finite number", None)],
    ),
    "another physics than the capability's": (
        (('model = "pv"', 'model = "pack"'),),
        [(23, f"{PV}.emulate.model", '"pack"', '"pv", the model of "inverter"', None)],
    ),
    "a mutant the emulator does not have": (
        (("seed = 1 }", "seed = 1, sign = 2 }"),),
        [(23, f"{PV}.emulate.sign", "2", "1 or -1", None)],
    ),
    "a model without its size": (
        (("cells = 16, ", ""),),
        [(45, f"{PACK}.emulate.cells", "nothing", 'a number, which the model "pack" needs', None)],
    ),
    "a nominal of another nameplate": (
        (("seed = 1 }", "seed = 1, v_nominal_v = 230 }"),),
        [(23, f"{PV}.emulate.v_nominal_v", "230", "rig.nominal.v_ll = 400", None)],
    ),
    "real devices on the virtual clock": (
        (*REAL_PV[1:], *REAL_METER),
        [
            (
                line,
                f"{device}.emulate",
                "nothing",
                'an emulate table, or rig.clock = "wall": a real device keeps its own time',
                None,
            )
            for line, device in ((14, PV), (57, "device 'meter-pv'"))
        ],
    ),
    "an emulated meter of a real device": (
        REAL_PV,
        [
            (
                61,
                "device 'meter-pv'.measures",
                '"pv-1", which is real',
                "an emulated device: an emulated meter sees only the model",
                None,
            )
        ],
    ),
    "a real device without its port": (
        (*REAL_PV[:2], REAL_PV[3], *REAL_METER),
        [
            (
                19,
                f"{PV}.link.port",
                "0",
                "the real port: only an emulated device can choose one",
                None,
            )
        ],
    ),
    "a real device in the model": (
        (*REAL_PV[:3], *REAL_METER),
        [
            (
                20,
                f"{PV}.terminal",
                '"model"',
                '{ grid = true, analyser = "<meter>" }, for a real device',
                None,
            )
        ],
    ),
    "an emulated device on the mains": (
        (('terminal = "model"', 'terminal = { grid = true, analyser = "meter-pv" }'),),
        [
            (
                20,
                f"{PV}.terminal",
                "a table of grid, analyser",
                '"model", for an emulated device',
                None,
            )
        ],
    ),
    "an AC source": (
        (*REAL_PV[:3], ('terminal = "model"', 'terminal = { source = "ac-1" }'), *REAL_METER),
        [
            (
                20,
                f"{PV}.terminal.analyser",
                "nothing",
                "a text that is not empty",
                None,
            ),
            (20, f"{PV}.terminal.channels", "nothing", "an array of an integer from 1 to 64", None),
        ],
    ),
    "an analyser of another device": (
        (
            *REAL_PV[:3],
            ('terminal = "model"', 'terminal = { grid = true, analyser = "meter-storage" }'),
            *REAL_METER,
        ),
        [
            (
                20,
                f"{PV}.terminal.analyser",
                '"meter-storage", which measures "storage-1"',
                'a meter with measures = "pv-1"',
                None,
            )
        ],
    ),
    "an analyser that is none": (
        (
            *REAL_PV[:3],
            ('terminal = "model"', 'terminal = { grid = true, analyser = "meter" }'),
            *REAL_METER,
        ),
        [(20, f"{PV}.terminal.analyser", '"meter"', METERS, "meter-pv")],
    ),
    "a pack with a terminal": (
        (("limits = { i_charge", 'terminal = "model"\nlimits = { i_charge'),),
        [(43, f"{PACK}.terminal", '"model"', "no terminal: a bms has none of its own", None)],
    ),
    "a storage without a pack": (
        (('bms = "battery-1"\n', ""),),
        [(25, f"{STORAGE}.bms", "nothing", "the name of the bms device of its pack", None)],
    ),
    "a pack that is not there": (
        (('bms = "battery-1"', 'bms = "battery-2"'),),
        [(32, f"{STORAGE}.bms", '"battery-2"', 'one of "battery-1"', "battery-1")],
    ),
    "a former that is not there": (
        (('former = "storage-1"', 'former = "storage-2"'),),
        [(12, "island.former", '"storage-2"', 'one of "storage-1"', "storage-1")],
    ),
    "a device without a bus": (
        (('bus = "B"\n', ""),),
        [(25, f"{STORAGE}.bus", "nothing", "the name of a bus of the feeder", None)],
    ),
    "two units of one number": (
        (("unit = 2, gateway", "unit = 1, gateway"),),
        [
            (
                63,
                "device 'meter-pv'.link.unit",
                "unit 1, which 'meter-home' has on gateway 'gw'",
                "a unit of its own on that wire",
                None,
            )
        ],
    ),
    "one gateway at two addresses": (
        (
            (
                'host = "127.0.0.1", port = 0, unit = 2, gateway',
                'host = "127.0.0.2", port = 0, unit = 2, gateway',
            ),
        ),
        [
            (
                63,
                "device 'meter-pv'.link.host",
                "\"127.0.0.2\" on gateway 'gw', where 'meter-home' states \"127.0.0.1\"",
                "one host on one wire",
                None,
            )
        ],
    ),
    "two devices on one serial line": (
        (
            ('port = "auto", baudrate = 19200', 'port = "auto:x", baudrate = 19200'),
            ('port = "auto", baudrate = 9600', 'port = "auto:x", baudrate = 9600'),
        ),
        [
            (
                41,
                f"{PACK}.link.port",
                "auto:x, which 'storage-1' uses",
                "a port of its own",
                None,
            )
        ],
    ),
    "a load measured twice": (
        (('measures = "pv-1"', 'measures = "load"\nbus = "A"'), ('"producer"', '"consumer"')),
        [
            (
                14,
                PV,
                "no meter at its connection point",
                'a signed meter with measures = "pv-1", since the rig trades',
                None,
            ),
            (
                63,
                "device 'meter-pv'.bus",
                "\"A\", whose load 'meter-home' measures",
                "one load meter on a bus",
                None,
            ),
        ],
    ),
    "a meter of nothing": (
        (('measures = "pv-1"', 'measures = "pv-2"'),),
        [
            (
                14,
                PV,
                "no meter at its connection point",
                'a signed meter with measures = "pv-1", since the rig trades',
                None,
            ),
            (
                62,
                "device 'meter-pv'.measures",
                '"pv-2"',
                'one of "load", "head", "pv-1", "storage-1"',
                "pv-1",
            ),
        ],
    ),
    "a participant without a meter": (
        (('meter = "meter-pv"\nagent', 'meter = "meter-pvs"\nagent'),),
        [
            (
                58,
                "device 'meter-pv'",
                "no participant behind it",
                "a participant behind every meter, since the rig trades",
                None,
            ),
            (96, "participant 'solar'.meter", '"meter-pvs"', METERS, "meter-pv"),
        ],
    ),
    "two participants on one meter": (
        (
            (
                '[[participant]]\nname = "operator"',
                '[[participant]]\nname = "second"\nmeter = "meter-pv"\n'
                'agent = { kind = "producer" }\n\n[[participant]]\nname = "operator"',
            ),
        ),
        [
            (
                101,
                "participant 'second'.meter",
                "\"meter-pv\", the meter of 'solar'",
                "a meter of its own",
                None,
            )
        ],
    ),
    "an agent nobody knows": (
        (('kind = "producer"', 'kind = "prosumer"'),),
        [
            (
                97,
                "participant 'solar'.agent.kind",
                '"prosumer"',
                'one of "consumer", "producer", "storage", "grid", "home", "compute"',
                "producer",
            )
        ],
    ),
    "an agent for something else": (
        (('kind = "producer"', 'kind = "consumer"'),),
        [
            (
                97,
                "participant 'solar'.agent.kind",
                '"consumer"',
                '"producer" or "home" or "compute", because \'meter-pv\' measures \'pv-1\'',
                None,
            )
        ],
    ),
    "a price that is no integer": (
        (('kind = "producer"', 'kind = "producer", offer_micro_per_kwh = 0.05'),),
        [
            (
                97,
                "participant 'solar'.agent.offer_micro_per_kwh",
                "0.05",
                "an integer from -1000000000 to 1000000000",
                None,
            )
        ],
    ),
    "a generator to be shed": (
        (('agent = { kind = "producer" }', 'agent = { kind = "producer" }\nshed_stage = 2'),),
        [(98, "participant 'solar'.shed_stage", "2", "nothing: only a load is shed", None)],
    ),
    "an empty zone beside others": (
        (
            ('agent = { kind = "consumer" }', 'agent = { kind = "consumer" }\nzone = ""'),
            ('agent = { kind = "producer" }', 'agent = { kind = "producer" }\nzone = "valley"'),
            ('agent = { kind = "storage" }', 'agent = { kind = "storage" }\nzone = "valley"'),
        ),
        [(92, "participant 'home'.zone", '""', "a text that is not empty", None)],
    ),
    "zones of some": (
        (
            ('agent = { kind = "consumer" }', 'agent = { kind = "consumer" }\nzone = "hill"'),
            ('agent = { kind = "producer" }', 'agent = { kind = "producer" }\nzone = "valley"'),
            ('agent = { kind = "grid" }', 'agent = { kind = "grid" }\nzone = "hill"'),
        ),
        [
            (
                101,
                "participant 'operator'.zone",
                "nothing",
                "its zone, since other participants have one",
                None,
            ),
            (
                110,
                "participant 'grid'.zone",
                '"hill"',
                "nothing: the main grid is connected to every zone",
                None,
            ),
        ],
    ),
    "a key of no meter": (
        (('[[key]]\nmeter = "meter-pv"', '[[key]]\nmeter = "meter-pw"'),),
        [
            (58, "device 'meter-pv'", "no key", 'a [[key]] with meter = "meter-pv"', None),
            (117, "key 'meter-pw'.meter", '"meter-pw"', METERS, "meter-pv"),
        ],
    ),
    "a key that is no hex": (
        (('public_key = "3059', 'public_key = "305x'),),
        [
            (
                113,
                "key 'meter-home'.public_key",
                '"305x' + RIG.split('public_key = "3059')[1][:71] + '..."',
                "a public key as hex or base64",
                None,
            )
        ],
    ),
    "a key that is no key": (
        (('public_key = "3059', 'public_key = "305900'),),
        [
            (
                113,
                "key 'meter-home'.public_key",
                'metering.enrol_key: public key of meter "meter-home": 92 bytes are not the '
                "canonical SPKI DER of an uncompressed key of any scheme",
                "a key of the algorithm, written as key_form says",
                None,
            )
        ],
    ),
    "a field of a trust file that is misspelt, and a profile": (
        (('serial = "S-11"\n', 'serial = "S-11"\nrevokt = 1\nprofiles = ["value-txt"]\n'),),
        [
            (112, "key 'meter-home'.revokt", "an unknown key", KEY_FIELDS, "revoked"),
            (113, "key 'meter-home'.profiles", '"value-txt"', one_of(PROFILES), "value-text"),
        ],
    ),
    "two keys of a meter at once": (
        (('[[key]]\nmeter = "meter-pv"', '[[key]]\nmeter = "meter-home"'),),
        [
            (58, "device 'meter-pv'", "no key", 'a [[key]] with meter = "meter-pv"', None),
            (
                121,
                "key 'meter-home'.valid_from",
                'metering.enrol_overlap: key of meter "meter-home" is valid while another key of '
                'serial "S-11" is',
                "a time at which no other key of the meter is valid",
                None,
            ),
        ],
    ),
    "a key of another seed": (
        (("seed = 12", "seed = 99"),),
        [
            (
                120,
                "key 'meter-pv'.public_key",
                "another meter's key",
                "the key of seed 99, as the emulated meter signs with it",
                None,
            )
        ],
    ),
    "a serial of another meter": (
        (('serial = "S-12" }', 'serial = "S-21" }'),),
        [
            (
                118,
                "key 'meter-pv'.serial",
                '"S-12"',
                '"S-21", the serial of the emulated meter',
                None,
            )
        ],
    ),
    "a time that is none": (
        ((f'valid_from = "{VALID_FROM}"', 'valid_from = "2016-02-30T00:00:00Z"'),),
        [(114, "key 'meter-home'.valid_from", '"2016-02-30T00:00:00Z"', MOMENT, None)],
    ),
    "a key that ends before it begins": (
        (
            (
                f'valid_from = "{VALID_FROM}"',
                f'valid_from = "{VALID_FROM}"\nvalid_to = "2015-01-01T00:00:00Z"',
            ),
        ),
        [
            (
                115,
                "key 'meter-home'.valid_to",
                'metering.enrol_window: key of meter "meter-home" is valid from 1451606400 s to '
                "1420070400 s, which is never",
                "a time after valid_from",
                None,
            )
        ],
    ),
    "a safe order that forgets a device": (
        (("[[participant]]", '[[safe]]\ndo = "cease"\n\n[[participant]]'),),
        [
            (
                44,
                f"{PACK}.safe_state",
                "a safe state no step reaches",
                'a [[safe]] step with do = "open-fets" for it',
                None,
            )
        ],
    ),
    "a threshold its safe step does not look at": (
        (
            (
                "[[participant]]",
                '[[safe]]\ndo = "cease"\n[[safe]]\ndo = "open-fets"\nbelow_w = 2\n'
                "below_a = 0\n\n[[participant]]",
            ),
        ),
        [
            (
                92,
                "safe 'open-fets'.below_w",
                "2",
                'nothing: only do = "settle" heeds it',
                None,
            ),
            (93, "safe 'open-fets'.below_a", "0", ABOVE_0, None),
        ],
    ),
    "a safe step for a device that cannot": (
        (
            (
                "[[participant]]",
                '[[safe]]\ndo = "cease"\n[[safe]]\ndo = "open-fets"\ndevices = ["pv-1"]\n'
                '[[safe]]\ndo = "open-fets"\n\n[[participant]]',
            ),
        ),
        [
            (
                92,
                "safe 'open-fets'.devices[0]",
                '"pv-1", of capability inverter',
                'one of "battery-1"',
                None,
            )
        ],
    ),
    "TOML that is none": (
        (('name = "pv-1"', "name = pv-1"),),
        [(15, "file", "invalid value", "TOML", None)],
    ),
}


def said(error: RigError) -> list[Said]:
    return [
        (issue.line, issue.key, issue.found, issue.expected, issue.near_miss)  # type: ignore[attr-defined]
        for issue in error.issues
    ]


def test_small_rig_is_valid_as_it_stands() -> None:
    assert issues_of() == ()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.replace(" ", "-"))
def test_one_mistake_gives_exactly_its_issues(case: str) -> None:
    edits, expected = CASES[case]

    with pytest.raises(RigError) as caught:
        small_rig(*edits)

    assert said(caught.value) == expected
    assert {issue.file for issue in caught.value.issues} == {FILE}


def test_all_mistakes_are_reported_at_once_in_file_order() -> None:
    edits = (
        ("p_w_max = 10000", "p_w_max = nan"),
        ('driver = "jbd"', 'driver = "jbt"'),
        ('kind = "producer"', 'kind = "prosumer"'),
        ("unit = 2, gateway", "unit = 1, gateway"),
    )

    issues = issues_of(*edits)

    assert [issue.key for issue in issues] == [
        "device 'pv-1'.limits.p_w_max",
        "device 'battery-1'.driver",
        "device 'meter-pv'.link.unit",
        "participant 'solar'.agent.kind",
    ]


def test_error_text_shows_file_line_found_expected_and_near_miss() -> None:
    with pytest.raises(RigError) as caught:
        small_rig(('driver = "sunspec"', 'driver = "sunspek"'))

    assert str(caught.value).splitlines()[1] == (
        "  small.toml:17: device 'pv-1'.driver: found driver 'sunspek', which nobody registered, "
        f"expected {DRIVER_NAMES} (did you mean 'sunspec'?)"
    )


def test_setting_the_plant_refuses_is_an_issue_of_the_emulate_table() -> None:
    issues = issues_of(("seed = 1 }", "seed = 1, droop_k = 7 }"))

    assert len(issues) == 1
    assert issues[0].key.startswith("device 'pv-1'.emulate")
    assert "7" in issues[0].text()
    assert "a number from 0.001 to 1" in issues[0].text()


def test_rig_without_devices_says_so() -> None:
    head = RIG[: RIG.index("[island]")]

    with pytest.raises(RigError) as caught:
        describe(parse_toml(head.encode(), FILE), registry())

    assert said(caught.value) == [(None, "device", "no devices", "at least one [[device]]", None)]


def test_file_that_is_not_there_is_an_issue_not_a_traceback() -> None:
    with pytest.raises(RigError) as caught:
        load_rig("nowhere/rig.toml")

    assert [i.text() for i in caught.value.issues] == [
        "nowhere/rig.toml: file: found No such file or directory, expected a readable TOML file"
    ]


@pytest.mark.parametrize(
    ("raw", "line", "found"),
    [
        (b"a = 1\nb = \xff\n", 2, "byte 0xff that is not UTF-8"),
        (b"a = 1\na = 2\n", 2, "cannot overwrite a value"),
        (b"a = " + b"9" * 5000, None, "exceeds the limit"),
        (b"a = " + b"[" * 100_000, None, "tables nested too deeply"),
    ],
)
def test_bytes_that_are_no_toml_give_one_issue(raw: bytes, line: int | None, found: str) -> None:
    with pytest.raises(RigError) as caught:
        parse_toml(raw, FILE)

    (issue,) = caught.value.issues
    assert found in issue.found.lower() or found in issue.found
    assert issue.line == line  # type: ignore[attr-defined]


def two_offers() -> list[EntryPoint]:
    return [
        *points(),
        EntryPoint("sunspec", "stranger.drivers:Theirs", DRIVERS),
    ]


def test_driver_name_offered_twice_is_refused_naming_both() -> None:
    with pytest.raises(RigError) as caught:
        describe(parse_toml(RIG.encode(), FILE), Registry(two_offers()))

    (issue,) = caught.value.issues
    assert issue.key == "device 'pv-1'.driver"
    assert "gridrig.devices.drivers.sunspec:SunSpecInverter" in issue.found
    assert "stranger.drivers:Theirs" in issue.found


def test_driver_that_fails_to_load_is_refused_with_its_cause() -> None:
    others = [p for p in points() if (p.group, p.name) != (DRIVERS, "jbd")]
    broken = EntryPoint("jbd", "gridrig_is_not_there.at_all:Driver", DRIVERS)

    with pytest.raises(RigError) as caught:
        describe(parse_toml(RIG.encode(), FILE), Registry([*others, broken]))

    (issue,) = caught.value.issues
    assert issue.key == "device 'battery-1'.driver"
    assert "No module named 'gridrig_is_not_there'" in issue.found


def test_driver_no_rig_names_is_never_loaded() -> None:
    broken = EntryPoint("never-named", "gridrig_is_not_there.at_all:Driver", DRIVERS)

    rig = describe(parse_toml(RIG.encode(), FILE), Registry([*points(), broken]))

    assert rig.name == "small"


def test_bus_the_feeder_lacks_is_an_issue_with_its_near_miss() -> None:
    rig = small_rig(('bus = "B"', 'bus = "Bus 2"'))

    issues = check_feeder(rig, ["A", "Bus 12", "Bus 14"], f_hz=50.0)

    # The pack and the storage's meter stand at the storage's bus.
    assert [(i.key, i.found, i.expected, i.near_miss) for i in issues] == [
        (
            "device 'storage-1'.bus",
            '"Bus 2"',
            'one of "A", "Bus 12", "Bus 14"',
            "Bus 12",
        )
    ]


def test_nominal_values_that_clash_with_the_feeder_are_issues() -> None:
    rig = small_rig()

    issues = check_feeder(rig, ["A", "B"], v_ll={"A": 400.0, "B": 20_000.0}, f_hz=60.0)

    assert [(i.key, i.found, i.expected) for i in issues] == [
        ("rig.nominal.f_hz", "50", "60, the feeder's nominal frequency"),
        ("device 'storage-1'.bus", '"B" of 20000 V', "a bus of rig.nominal.v_ll = 400 V"),
    ]


def test_profile_the_network_lacks_is_an_issue_with_its_near_miss() -> None:
    issues = check_feeder(small_rig(), ["A", "B"], profiles=["SGen 2", "Load 1"])

    assert [(i.key, i.found, i.expected, i.near_miss) for i in issues] == [
        ("device 'pv-1'.emulate.profile", '"SGen 1"', 'one of "SGen 2", "Load 1"', "SGen 2")
    ]


def test_a_meter_of_a_load_needs_a_bus_with_one() -> None:
    assert check_feeder(small_rig(), ["A", "B"], drawn=["A"]) == ()
    issues = check_feeder(small_rig(), ["A", "B", "A2"], drawn=["A2", "B"])

    assert [(i.key, i.found, i.expected, i.near_miss) for i in issues] == [
        ("device 'meter-home'.bus", '"A"', "a bus with a load, which it measures", "A2")
    ]


def test_references_are_resolved_in_the_finished_rig() -> None:
    rig = small_rig()

    assert [device.name for device in rig.of("inverter", "storage")] == ["pv-1", "storage-1"]
    assert {d.name: d.bus for d in rig.devices} == {
        "pv-1": "A",
        "storage-1": "B",
        "battery-1": "B",
        "meter-home": "A",
        "meter-pv": "A",
        "meter-storage": "B",
        "meter-head": None,
    }
    assert rig.meter_of("head") == rig.device("meter-head")
    assert rig.device("storage-1").safe_settings() == {"connect": False, "power_w": 0.0}


def test_limits_in_hertz_scale_with_the_nominal() -> None:
    rig = small_rig()
    assert rig.island is not None

    assert rig.island.sync.df_hz_at(50.0) == pytest.approx(0.25)


def test_emulate_table_is_parted_between_face_and_plant() -> None:
    rig = small_rig(("seed = 1 }", "seed = 1, response_s = 60, telemetry = 'frozen' }"))
    emulation = rig.device("pv-1").emulation
    assert emulation is not None

    assert emulation.emulator == "sunspec"
    assert emulation.profile == "SGen 1"
    assert emulation.plant == {"s_va": 11000, "response_s": 60}
    assert (emulation.face.s_va, emulation.face.telemetry) == (11000.0, "frozen")


def mutated(rig: Rig) -> Rig:
    return override_emulate(rig, "pv-1", {"telemetry": "frozen"}, registry())


def test_mutant_changes_one_device_and_keeps_the_file() -> None:
    rig = small_rig()

    mutant = mutated(rig)

    assert mutant.text == rig.text
    assert mutant.device("pv-1").emulate == {
        **(rig.device("pv-1").emulate or {}),
        "telemetry": "frozen",
    }
    assert mutant.device("storage-1") == rig.device("storage-1")
    assert [(o.device, o.emulate) for o in mutant.overrides] == [("pv-1", {"telemetry": "frozen"})]


def test_mutants_of_mutants_add_up() -> None:
    twice = override_emulate(mutated(small_rig()), "pv-1", {"sign": -1}, registry())

    emulation = twice.device("pv-1").emulation
    assert emulation is not None
    assert (emulation.face.telemetry, emulation.face.sign) == ("frozen", -1)


def test_mutant_key_nobody_knows_is_refused() -> None:
    with pytest.raises(RigError) as caught:
        override_emulate(small_rig(), "pv-1", {"telemetri": "frozen"}, registry())

    (issue,) = caught.value.issues
    assert "telemetri" in issue.text()


def test_mutant_may_sign_with_a_key_that_is_not_enrolled() -> None:
    mutant = override_emulate(small_rig(), "meter-pv", {"seed": 99}, registry())

    assert mutant.device("meter-pv").emulate["seed"] == 99  # type: ignore[index]


def test_mutant_of_a_device_that_is_not_there_names_the_near_miss() -> None:
    with pytest.raises(RigError) as caught:
        override_emulate(small_rig(), "pv-2", {"sign": -1}, registry())

    assert caught.value.near == "pv-1"


def test_edit_that_finds_nothing_fails_the_test_itself() -> None:
    with pytest.raises(AssertionError):
        edited(RIG, [("no such text", "")])
