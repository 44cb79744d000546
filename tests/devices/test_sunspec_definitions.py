"""Model definitions: the table is the wheel's, lengths are the standard's, registers agree."""

import sys
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from gridrig.devices.wire.sunspec import ModelRegisters
from gridrig.devices.wire.sunspec_definitions import (
    parse_definitions,
    standard_definitions,
    standard_model,
)

sys.path.append(str(Path(__file__).parents[1] / "vectors"))
import make_sunspec_models

file_client = pytest.importorskip("sunspec2.file.client")
FIXED = {
    **{1: 66, 101: 50, 102: 50, 103: 50, 111: 60, 112: 60, 113: 60},
    **{120: 26, 121: 30, 122: 44, 123: 24, 124: 24},
    **dict.fromkeys((201, 202, 203, 204), 105),
    **dict.fromkeys((211, 212, 213, 214), 124),
    **{701: 153, 702: 50, 703: 17, 704: 65, 713: 7, 715: 7, 802: 62},
}


def test_the_table_is_what_the_wheel_says() -> None:
    wire = resources.files("gridrig.devices.wire")
    assert (wire / "sunspec_models.txt").read_text("utf-8") == make_sunspec_models.table()


def test_models_without_repetition_have_the_lengths_of_the_standard() -> None:
    assert {number: standard_model(number).length for number in FIXED} == FIXED


@pytest.mark.parametrize("curves", [0, 1, 3, 7])
@pytest.mark.parametrize("points", [0, 2, 4, 10])
def test_repeating_models_grow_by_their_formulas(curves: int, points: int) -> None:
    crv, sets = {"NCrv": curves, "NPt": points}, {"NCrvSet": curves, "NPt": points}
    assert standard_model(705, **crv).length == 13 + curves * (10 + 2 * points)
    assert standard_model(706, **crv).length == 13 + curves * (5 + 2 * points)
    for low_high in (707, 708):
        length = 7 + curves * (1 + 3 * (1 + 3 * points))
        assert standard_model(low_high, **sets).length == length
    for low_high in (709, 710):
        length = 7 + curves * (1 + 3 * (1 + 4 * points))
        assert standard_model(low_high, **sets).length == length
    assert standard_model(711, NCtl=curves).length == 12 + 10 * curves
    assert standard_model(712, **crv).length == 12 + curves * (4 + 2 * points)
    assert standard_model(714, NPrt=curves).length == 18 + 25 * curves
    assert standard_model(803, NStr=curves).length == 26 + 32 * curves
    assert standard_model(804, NMod=curves).length == 46 + 16 * curves
    assert standard_definitions()[160].model({"*": curves}).length == 8 + 20 * curves


def test_every_model_of_the_table_has_its_length_tested_above() -> None:
    repeating = {160, 803, 804, 714, *range(705, 713)}
    assert set(standard_definitions()) == set(FIXED) | repeating


def test_points_of_repeated_groups_are_counted_from_one() -> None:
    points = standard_model(705, NCrv=3, NPt=4).points
    assert [points[n].offset for n in ("Crv[1].ActPt", "Crv[1].Pt[1].V", "Crv[2].ActPt")] == [
        *(15, 25, 33)
    ]
    assert "Crv[0].ActPt" not in points
    assert standard_model(704).points["PFWInj.PF"].sync == "PFWInj"


def test_a_length_that_its_counts_do_not_explain_is_refused() -> None:
    curves = standard_definitions()[705]
    assert curves.fitting(67, {"NCrv": 3, "NPt": 4}).length == 67
    with pytest.raises(ValueError, match="length 28, but NCrv = 0, NPt = 4 makes it 13"):
        curves.fitting(28, {"NCrv": 0, "NPt": 4})
    assert standard_definitions()[1].fitting(65, {}).length == 66  # an old device leaves out Pad
    assert standard_definitions()[160].fitting(48, {}).length == 48


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({}, "counted by"),
        ({"NCrv": 1, "NPt": 1, "NCtl": 1}, "counted by"),
        ({"NCrv": -1, "NPt": 4}, "outside"),
        ({"NCrv": 1001, "NPt": 4}, "outside"),
        ({"NCrv": 1000, "NPt": 1000}, "at most 65534"),
    ],
)
def test_impossible_counts_are_refused(counts: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        standard_definitions()[705].model(counts)


@pytest.mark.parametrize(
    "text", ["ID uint16 1 - R", "model 1 x\nend", "model 1 x\ngroup A 1", "model 1 x\nID uint16"]
)
def test_a_table_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"line|not closed"):
        parse_definitions(text)


def fixture_models() -> list[Any]:
    folder = Path(str(resources.files("sunspec2"))) / "tests" / "test_data"
    device = file_client.FileClientDevice(str(folder / "device_1547.json"))
    device.scan()
    return list(device.model_list)


def as_registers(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]


def leaves(group: Any, prefix: str = "") -> dict[str, Any]:
    """Return every point of a pysunspec2 group, named as gridrig names it."""
    found = {prefix + name: point for name, point in group.points.items()}
    for name, subs in group.groups.items():
        several = isinstance(subs, list)
        for number, sub in enumerate(subs if several else [subs], 1):
            found |= leaves(sub, f"{prefix}{name}{f'[{number}]' if several else ''}.")
    return found


def test_the_codec_agrees_with_pysunspec2_on_every_register_of_its_1547_device() -> None:
    models = fixture_models()
    assert [m.model_id for m in models] == [1, *range(701, 714)]
    registers_seen = points_seen = 0
    for theirs in models:
        registers = as_registers(theirs.get_mb())
        definition = standard_definitions()[theirs.model_id]
        head = ModelRegisters(definition.head, registers)
        counts = {name: int(head.number(name) or 0) for name in definition.counts}
        model = definition.fitting(registers[1], counts)
        ours = ModelRegisters(model, registers)
        points = leaves(theirs)
        assert list(points) == list(model.points)
        again: list[int] = []
        for name, point in points.items():
            place = model.points[name]
            raw = ours.raw(name)
            again += place.encode(raw)
            if place.type == "pad":
                continue
            value = (point.value or None) if place.type == "string" else point.value
            assert raw == value, (theirs.model_id, name)
            scale = ours.scale_factor(name)
            if isinstance(raw, int) and scale is not None and place.scale is not None:
                assert ours.value(name) == pytest.approx(point.cvalue, rel=1e-12)
            points_seen += 1
        assert again == registers
        registers_seen += len(registers)
    assert registers_seen == 614 - 4  # the marker and the end model are not in a model
    assert points_seen > 400
