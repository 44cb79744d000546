"""The boundary between Rust and Python: every native name is typed, used and immutable."""

import ast
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import BuiltinFunctionType, GetSetDescriptorType
from typing import Any

import numpy as np
import pytest

import gridrig
from gridrig import _core
from gridrig.market.exchange import Exchange
from gridrig.metering import OcmfSigner
from gridrig.plant import Segment

PACKAGE = Path(gridrig.__file__).parent
REPOSITORY = Path(__file__).parents[1]
STUB = PACKAGE / "_core.pyi"
# Where a user finds each native name: never in `_core` itself.
FACADES = (
    "gridrig.market.auction",
    "gridrig.market.exchange",
    "gridrig.market.zones",
    "gridrig.metering",
    "gridrig.settlement",
    "gridrig.settlement.certificates",
    "gridrig.settlement.chain",
    "gridrig.settlement.privacy",
    "gridrig.settlement.rewards",
    "gridrig.settlement.shares",
    "gridrig.plant",
    "gridrig.bench.market",
    "gridrig.bench.metering_signatures",
)
KNOWN_NAMES_MIN = 53
KNOWN_CLASSES_MIN = 34
KNOWN_PROPERTIES_MIN = 150
T0 = 1_466_424_900


def native_names() -> set[str]:
    return {name for name in dir(_core) if not name.startswith("_")}


def native_classes() -> dict[str, type]:
    return {name: value for name, value in vars(_core).items() if isinstance(value, type)}


def stubbed_names() -> set[str]:
    tree = ast.parse(STUB.read_text(encoding="utf-8"))
    return {
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_")
    }


@pytest.fixture(scope="module")
def specimens() -> dict[str, Any]:
    """One object of every native class, each made the way the project makes it."""
    verifier = _core.Verifier()
    registers = {"home": (0, 0), "head": (0, 0)}
    signers = {name: OcmfSigner.from_seed(1, name, name) for name in registers}
    for name, signer in signers.items():
        verifier.enrol(name, serial=name, public_key=signer.public_key_der, valid_from_s=0)

    def sign(name: str, number: int, taken: int, given: int) -> _core.VerifiedReading:
        time_s = T0 + 900 * number
        return verifier.verify(signers[name].sign(number, time_s, taken, given), at_s=time_s)

    home = _core.MeterPeriod("home", sign("home", 1, 0, 0), sign("home", 2, 5_000, 0))
    head = _core.MeterPeriod("grid", sign("head", 1, 0, 0), sign("head", 2, 0, 5_000))
    agreed = _core.SettlementRules(long_price_micro_per_kwh=1_000, short_price_micro_per_kwh=9_000)
    ends = {"from_ms": home.from_ms, "to_ms": home.to_ms}
    settled = _core.settle_period(0, [home], [], head=head, rules=agreed, **ends)
    posted = _core.PostedLines.of(settled)
    again = _core.settle_period(0, [home], [], head=head, rules=agreed, revision=1, **ends)
    correction = _core.Correction(posted, again, 1)
    orders = [
        _core.Order(1, "home", "bid", 5_000, 9_000),
        _core.Order(2, "grid", "offer", 5_000, 1_000),
        _core.Order(3, "home", "bid", 0, 9_000),
    ]
    rules = _core.AuctionRules(lot_milliwh=1_000, tick_micro_per_kwh=1_000)
    clearing = _core.clear_pay_as_clear(orders, rules)
    columns = (
        np.array([1, 2], dtype=np.uint64),
        np.array([0, 1], dtype=np.uint32),
        np.array([True, False]),
        np.array([5_000, 5_000]),
        np.array([9_000, 1_000]),
    )
    zones = _core.ZoneNetwork([(None, None)], [])
    zonal = _core.clear_zonal(orders, [0, 0, 0], zones, rules)
    (refusal,) = verifier.verify_batch([b"not a reading"], at_s=T0)
    authenticated = verifier.authenticate([b"not a reading"], at_s=T0)
    exchange = Exchange()
    (opened,) = exchange.open_book(0, price_micro_per_kwh_min=0, price_micro_per_kwh_max=1_000)
    world = _core.World(s_base_va=10_000.0, seed=1)
    storage = world.add_storage(
        "storage", {"s_va": 10_000.0, "forms_grid": True, "pack": {"cells": 16}}
    )
    load = world.add_load("load")
    world.set_motor(load, {"s_va": 100.0})
    world.impose([1.0, 1.0], 50.0)
    world.open_pcc(0.0)
    tree = _core.ClaimTree(
        chain_id=1, contract=b"c" * 20, bucket=1, accounts=[b"a" * 20], amounts=[1]
    )
    proof = tree.proof(b"a" * 20)
    leaves = _core.MerkleTree([b"a", b"b"])
    inclusion = leaves.proof(1)
    claim = _core.EnergyClaim(
        number=1,
        asset=b"a" * 32,
        direction="export",
        first_quantum=1,
        quanta=1,
        energy_wh=1,
        scheme="share",
        issuer="us",
        holder="home",
    )
    fleet = _core.RewardFleet({"point": ["home"]})
    fleet.enrol("site", "point", commitment_milliwh=1)
    programme = _core.RewardProgramme(
        period_ms=900_000,
        utc_offset_s=0,
        baseline_days=1,
        look_back_days=1,
        unread_days_max=0,
        adjustment_periods=0,
        adjustment_permille_max=0,
        dead_band_permille=0,
        event_periods_max=1,
        event_days_max=1,
        response_price_micro_per_kwh=0,
        energy_price_micro_per_kwh_min=0,
    )
    day = {"notice_ms": 0, "from_ms": 0, "to_ms": 900_000}
    made = [
        *orders[:1],
        clearing,
        clearing.trades[0],
        clearing.rejections[0],
        rules,
        _core.pay_as_clear(*columns, rules),
        _core.pay_as_bid(*columns, rules),
        zones,
        zonal,
        zonal.columns,
        exchange._core,
        opened,
        verifier,
        home.opening,
        refusal,
        authenticated,
        verifier.stage(authenticated),
        home,
        agreed,
        settled,
        settled.entries[0],
        posted,
        correction,
        tree,
        proof,
        proof.verify(tree.root),
        leaves,
        inclusion,
        inclusion.verify(b"b", leaves.root()),
        _core.Numbering([b"a name"]),
        claim,
        _core.CertificateRegister(),
        fleet,
        programme,
        programme.response(fleet, "site", [], **day),
        _core.ShareRegister([("home", 1)]),
        _core.Opening("leaf", b"s" * 32, b"payload"),
        world,
        world.terminal(storage),
        world.motor(load),
        world.pack(storage),
        world.island_tick(0.0, 0.01),
        _core.World(s_base_va=1.0, seed=1).source_tick([], 0.0, [Segment.hold(0.001, f_hz=50.0)]),
    ]
    return {type(one).__name__: one for one in made}


def test_every_native_name_has_a_stub_and_the_stub_names_nothing_else() -> None:
    assert len(native_names()) >= KNOWN_NAMES_MIN
    assert native_names() == stubbed_names()


def test_every_native_name_has_a_facade() -> None:
    offered = {name for facade in FACADES for name in vars(import_module(facade))}
    assert len(native_names()) >= KNOWN_NAMES_MIN
    assert native_names() - offered == set()


def test_native_names_are_classes_and_functions_of_this_module_only() -> None:
    for name in native_names():
        value = getattr(_core, name)
        assert isinstance(value, type | BuiltinFunctionType), name
        assert value.__module__ == "gridrig._core", name


def test_every_class_refuses_every_assignment(specimens: dict[str, Any]) -> None:
    assert len(native_classes()) >= KNOWN_CLASSES_MIN
    assert set(specimens) == set(native_classes())
    properties = 0
    for name, one in specimens.items():
        for key, value in vars(type(one)).items():
            if isinstance(value, GetSetDescriptorType):
                properties += 1
                with pytest.raises(AttributeError):
                    setattr(one, key, getattr(one, key))
        with pytest.raises(AttributeError):
            one.an_attribute_nobody_declared = 1
        assert not hasattr(one, "__dict__"), name
    assert properties >= KNOWN_PROPERTIES_MIN


def test_every_class_is_declared_frozen_in_rust() -> None:
    declared = [
        (path.name, options)
        for path in sorted((REPOSITORY / "crates" / "py" / "src").glob("*.rs"))
        for options in re.findall(r"#\[pyclass\((.*?)\)\]", path.read_text(), re.DOTALL)
    ]
    assert len(declared) >= KNOWN_CLASSES_MIN
    assert [found for found in declared if "frozen" not in found[1]] == []


def test_the_stub_says_what_the_module_does(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "gridrig._core"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
