"""The registers of gridrig's signed meter, behind the models 1 and 203 of any SunSpec meter.

A SunSpec vendor model in the style of two meters on the market: a clock and a command are written,
a status is polled, and the signed record is read in pieces of at most 120 registers. Offsets count
from the model's ID register; numbers are big-endian, high word first.

| offset | name | type | access | meaning |
|---|---|---|---|---|
| 0 | ID | uint16 | R | 64950 |
| 1 | L | uint16 | R | 626 |
| 2 | Epoch | uint32 | RW | the meter's clock, UTC; writing sets it [s since 1970] |
| 4 | ClkSt | enum16 | R | 0 never set, 1 set |
| 5 | ImpMilliWh | uint64 | R | register 1.8.0, grid to customer [mWh] |
| 9 | ExpMilliWh | uint64 | R | register 2.8.0, customer to grid [mWh] |
| 13 | W | int32 | R | active power, positive from grid to customer, as in model 203 [0.1 W] |
| 15 | VAR | int32 | R | reactive power, same direction [0.1 var] |
| 17 | PPV | uint32 | R | line-to-line voltage [0.01 V] |
| 19 | Hz | uint32 | R | frequency [0.001 Hz] |
| 21 | SignTm | uint32 | RW | time the next record carries, 0 for the meter's clock [s since 1970] |
| 23 | Cmd | enum16 | RW | 1: sign the registers as they are now; reads 0 |
| 24 | St | enum16 | R | 0 idle, 1 signing, 2 signed, 3 refused |
| 25 | Err | enum16 | R | with St 3: 1 the clock was never set, 2 SignTm is not now |
| 26 | Pg | uint32 | R | pagination of the last record, 0 before the first |
| 28 | RecLen | uint16 | R | bytes of the last record, 0 before the first |
| 29 | KeyLen | uint16 | R | bytes of the public key |
| 30 | Key | 98 registers | R | public key, SPKI DER, two bytes a register, NUL padded |
| 128 | Rec | 500 registers | R | the last record (OCMF text), two bytes a register, NUL padded |

A record says what the registers were at its time, so SignTm may only round the meter's own clock,
by 5 s at most: a record signed ahead would move energy between periods.

Command 1 while St is 1 is answered with exception 6 (busy); any other command is exception 3. The
registers signed are those of the moment the command was taken; St becomes 2, and Pg and Rec change,
when the signature is ready.
"""

from collections.abc import Sequence
from functools import cache

from gridrig.devices.wire.sunspec import Model
from gridrig.devices.wire.sunspec_definitions import ModelDefinition, parse_definitions

MODEL_ID = 64950
COMMAND_SIGN = 1
IDLE, SIGNING, SIGNED, REFUSED = 0, 1, 2, 3
ERROR_NONE, ERROR_CLOCK_NOT_SET, ERROR_TIME_NOT_NOW = 0, 1, 2
SIGN_TIME_S_MAX = 5  # how far SignTm may be from the meter's clock [s]
RECORD_MAX_BYTES = 1000
KEY_MAX_BYTES = 196
CHUNK_REGISTERS = 120

_TABLE = """
model 64950 signed_meter
ID uint16 1 - R
L uint16 1 - R
Epoch uint32 2 - RW
ClkSt enum16 1 - R
ImpMilliWh acc64 4 - R
ExpMilliWh acc64 4 - R
W int32 2 - R
VAR int32 2 - R
PPV uint32 2 - R
Hz uint32 2 - R
SignTm uint32 2 - RW
Cmd enum16 1 - RW
St enum16 1 - R
Err enum16 1 - R
Pg acc32 2 - R
RecLen uint16 1 - R
KeyLen uint16 1 - R
Key string 98 - R
Rec string 500 - R
"""


@cache
def signed_meter_definition() -> ModelDefinition:
    """Return the vendor model's definition."""
    return parse_definitions(_TABLE)[MODEL_ID]


def signed_meter_model() -> Model:
    """Return the vendor model as a table of points."""
    return signed_meter_definition().model()


def bytes_of(registers: Sequence[int], length: int) -> bytes:
    """Return the first `length` bytes that registers hold."""
    return b"".join(register.to_bytes(2, "big") for register in registers)[:length]


def registers_of(data: bytes, count: int) -> list[int]:
    """Return bytes as `count` registers, NUL padded.

    Raises
    ------
    ValueError
        If they do not fit.
    """
    if len(data) > 2 * count:
        raise ValueError(f"{len(data)} bytes do not fit into {count} registers")
    padded = data.ljust(2 * count, b"\0")
    return [int.from_bytes(padded[at : at + 2], "big") for at in range(0, 2 * count, 2)]
