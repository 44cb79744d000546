"""The registers of a meter that signs snapshots, as the BSM-WS36A does: models 64900 to 64903.

Written to `St` of a snapshot, 2 (updating) makes the meter sign what it measures then; `St` is
polled until it is 0 (valid) or tells a failure. A snapshot is its model as read: 17 points of it
are signed in a fixed order, a number as 32 bits, scale factor and DLMS unit, a text as 32 bits of
length and its octets. The same reading is in model 64903 as OCMF text, matched by `Typ`.

References
----------
.. [1] chargeIT mobility, "bsm-python," 2022, `bauer_bsm/bsm/models/smdx_64900.xml` to
       `smdx_64903.xml` (Apache-2.0), read for facts: names, offsets, types, states.
"""

from collections.abc import Mapping
from functools import cache

from gridrig.devices.wire.sunspec import Model, ModelRegisters
from gridrig.devices.wire.sunspec_definitions import ModelDefinition, parse_definitions

METER, SNAPSHOT, BLOB, OCMF = 64900, 64901, 64902, 64903
CURRENT, TURN_ON, TURN_OFF, START, END = range(5)  # Typ
SNAPSHOTS = (CURRENT, TURN_ON, TURN_OFF, START, END)  # in map order
VALID, INVALID, UPDATING, FAILED, FAILED_NOT_ENABLED = range(5)  # St
KEY_REGISTERS = SIGNATURE_REGISTERS = 48
OCMF_BYTES_MAX = 992

# Units as DLMS codes them.
_MINUTE, _SECOND, _WATT, _WATT_HOUR, _NONE = 6, 7, 27, 30, 255
_TEXT = -1
# Every signed point, its scale factor point if it has one, its unit.
_SIGNED: tuple[tuple[str, str | None, int], ...] = (
    ("Typ", None, _NONE),
    ("RCR", "Wh_SF", _WATT_HOUR),
    ("TotWhImp", "Wh_SF", _WATT_HOUR),
    ("W", "W_SF", _WATT),
    ("MA1", None, _TEXT),
    ("RCnt", None, _NONE),
    ("OS", None, _SECOND),
    ("Epoch", None, _SECOND),
    ("TZO", None, _MINUTE),
    ("EpochSetCnt", None, _NONE),
    ("EpochSetOS", None, _SECOND),
    ("DI", None, _NONE),
    ("DO", None, _NONE),
    ("Meta1", None, _TEXT),
    ("Meta2", None, _TEXT),
    ("Meta3", None, _TEXT),
    ("Evt", None, _NONE),
)

_TABLE = """
model 64900 bsm
ID uint16 1 - R
L uint16 1 - R
ErrM string 4 - R
SNM string 8 - R
SNC string 8 - R
VrM string 8 - R
VrC string 8 - R
MA1 string 8 - R
MA2 string 8 - R
RCR acc32 2 RCR_SF R
RCR_SF sunssf 1 - R
PDCnt uint32 2 - R
RCnt uint32 2 - R
OS uint32 2 - R
Epoch uint32 2 - RW
TZO int16 1 - RW
EpochSetCnt uint32 2 - R
EpochSetOS uint32 2 - R
DI uint16 1 - R
DO uint16 1 - RW
DIChgOS uint32 2 - R
DIChgEpoch uint32 2 - R
DIChgTZO int16 1 - R
DOChgOS uint32 2 - R
DOChgEpoch uint32 2 - R
DOChgTZO int16 1 - R
Meta1 string 70 - RW
Meta2 string 50 - RW
Meta3 string 50 - RW
NPK uint16 1 - R
BPK uint16 1 - R
group Key *
  PK uint16 1 - R
end

model 64901 bsm_snapshot
ID uint16 1 - R
L uint16 1 - R
Typ enum16 1 - R
St enum16 1 - RW
RCR acc32 2 Wh_SF R
TotWhImp acc32 2 Wh_SF R
Wh_SF sunssf 1 - R
W int16 1 W_SF R
W_SF sunssf 1 - R
MA1 string 8 - R
RCnt uint32 2 - R
OS uint32 2 - R
Epoch uint32 2 - R
TZO int16 1 - R
EpochSetCnt uint32 2 - R
EpochSetOS uint32 2 - R
DI uint16 1 - R
DO uint16 1 - R
Meta1 string 70 - R
Meta2 string 50 - R
Meta3 string 50 - R
Evt bitfield32 2 - R
NSig uint16 1 - R
BSig uint16 1 - R
group Signature *
  Sig uint16 1 - R
end

model 64902 bsm_blob
ID uint16 1 - R
L uint16 1 - R
Typ enum16 1 - R
NB uint16 1 - R
BB uint16 1 - R
Pad pad 1 - R
group Data *
  B uint16 1 - R
end

model 64903 bsm_ocmf
ID uint16 1 - R
L uint16 1 - R
Typ enum16 1 - R
St enum16 1 - R
O string 496 - R
"""


@cache
def definitions() -> Mapping[int, ModelDefinition]:
    """Return the four models' definitions, by number."""
    return parse_definitions(_TABLE)


def meter_model() -> Model:
    """Return model 64900 with room for a public key."""
    return definitions()[METER].model({"*": KEY_REGISTERS})


def snapshot_model() -> Model:
    """Return model 64901 with room for a signature."""
    return definitions()[SNAPSHOT].model({"*": SIGNATURE_REGISTERS})


def signed_bytes(snapshot: ModelRegisters) -> bytes:
    """Return what a snapshot's signature covers: 17 of its points, in their order."""
    data = bytearray()
    for name, scale, unit in _SIGNED:
        if unit == _TEXT:
            text = snapshot.text(name).encode()
            data += len(text).to_bytes(4, "big") + text
            continue
        factor = 0 if scale is None else snapshot.number(scale) or 0
        # "Not implemented" is signed as it stands in the registers.
        point = snapshot.model.points[name]
        words = snapshot.registers[point.offset : point.offset + point.size]
        raw = int.from_bytes(b"".join(word.to_bytes(2, "big") for word in words), "big")
        if point.kind == "signed" and raw >> (16 * point.size - 1):
            raw -= 1 << 16 * point.size
        data += (raw & 0xFFFFFFFF).to_bytes(4, "big")
        data += bytes((factor & 0xFF, unit))
    return bytes(data)
