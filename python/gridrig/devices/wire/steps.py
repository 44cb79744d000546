"""In which steps a reply goes out on its wire, and who decides that."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol


@dataclass(frozen=True)
class Asked:
    """What a request asks for, as far as a fault can choose by it.

    Parameters
    ----------
    function : int or None
        Modbus function code.
    command : int, str or None
        What names the request in another protocol: JBD's register, Pylontech's CID2, a SCPI header.
    address, count : int
        Registers it touches; a count of 0 touches none.
    """

    function: int | None = None
    command: int | str | None = None
    address: int = 0
    count: int = 0


ANYTHING = Asked()


@dataclass(frozen=True)
class Step:
    """One step of a reply: wait, then send bytes, then do something to the wire.

    Parameters
    ----------
    data : bytes
        What is sent, in one piece; may be empty.
    wait_s : float
        Wait before it. [s]
    end : str
        "reset" aborts the connection, "mute" leaves it open and deaf; nothing follows either.
    """

    data: bytes
    wait_s: float = 0.0
    end: Literal["", "reset", "mute"] = ""


class ReplyWire(Protocol):
    """Decides in which steps a device's replies go out."""

    def plan(
        self,
        request: bytes,
        reply: bytes | None,
        *,
        now_s: float,
        asked: Asked = ANYTHING,
        delay_s: float = 0.0,
    ) -> list[Step]:
        """Return the steps of one reply, both as on the wire; None is a silent device."""


class ConnectionBoard(Protocol):
    """Knows which faults of connections are armed."""

    def peek(self, fault: str, asked: Asked = ANYTHING) -> Mapping[str, Any] | None:
        """Return an armed fault's parameters, spending nothing."""

    def fire(self, fault: str, asked: Asked = ANYTHING) -> Mapping[str, Any] | None:
        """Return the parameters if the fault fires, spending one firing."""
