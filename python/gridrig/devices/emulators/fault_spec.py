"""What a fault is called, what it takes, and on which occasions it fires.

A `FaultSpec` is one entry of the catalogue: scenario files are checked against it, `gridrig faults`
and `docs/faults.md` print it. An emulator offers its faults as `FAULTS`, name to `FaultSpec`; a
plain tuple of parameter names will do where nothing is known of their types.

Besides its own parameters every fault takes an occasion: which requests it concerns (`function`,
`command`, `address` to `address_to`), which of those (`nth`, `count`, `probability`) and how long
(`for_s`, from the moment it is armed).
"""

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from gridrig.suggestions import near_miss, one_of

FaultValue = int | float | str | bool
Family = Literal["timing", "framing", "identity", "semantics", "connection", "state"]
DAY_S = 86_400.0
COUNT_MAX = 1_000_000_000


@dataclass(frozen=True)
class FaultParameter:
    """One value that a fault takes.

    Parameters
    ----------
    name : str
        Its key; the unit is the end of the name.
    kind : type
        `int`, `float`, `str` or `bool`; None if any of them will do.
    meaning : str
        What it says, for the catalogue.
    low, high : float
        Range of a number, both ends included.
    default : int, float, str, bool or None
        Value of a key that is absent; None if it must be there.
    """

    name: str
    kind: type[FaultValue] | None
    meaning: str = ""
    low: float = -math.inf
    high: float = math.inf
    default: FaultValue | None = None

    @property
    def expected(self) -> str:
        """What a value must be, in words."""
        if self.kind is None:
            return "a value"
        if self.kind is str:
            return "a text"
        if self.kind is bool:
            return "true or false"
        word = "an integer" if self.kind is int else "a number"
        if math.isinf(self.high):
            return word if math.isinf(self.low) else f"{word} of at least {self.low:g}"
        return f"{word} from {self.low:g} to {self.high:g}"

    def accepts(self, value: object) -> bool:
        """Return whether a value is of the kind and in the range."""
        if self.kind is None:
            return isinstance(value, bool | int | float | str)
        if self.kind in {str, bool}:
            return type(value) is self.kind
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        whole = self.kind is float or isinstance(value, int)
        return whole and self.low <= value <= self.high and math.isfinite(value)


OCCASION: Mapping[str, FaultParameter] = {
    one.name: one
    for one in (
        FaultParameter("count", int, "fires so often, then is spent", 1, COUNT_MAX),
        FaultParameter("for_s", float, "is over so long after it was armed", 0, 1e9),
        FaultParameter("nth", int, "passes over the requests before the nth", 1, COUNT_MAX),
        FaultParameter("probability", float, "fires on this share of the requests", 0, 1),
        FaultParameter("function", int, "only this Modbus function", 1, 127),
        FaultParameter("command", None, "only this command of the device's protocol"),
        FaultParameter("address", int, "only requests that touch this register", 0, 65535),
        FaultParameter("address_to", int, "with `address`: this or any up to here", 0, 65535),
    )
}


@dataclass(frozen=True)
class FaultProblem:
    """What is wrong with one key of a fault."""

    key: str
    found: object  # None if the key is absent
    expected: str
    near: str | None = None
    unknown: bool = False  # the fault takes no such key


@dataclass(frozen=True)
class FaultSpec:
    """One fault of the catalogue.

    Parameters
    ----------
    name : str
        By which a scenario arms it.
    family : str
        What it disturbs.
    meaning : str
        What the device does when it fires, one sentence.
    parameters : tuple of FaultParameter
        What it takes besides an occasion.
    example : str
        The `[[fault]]` keys after `device` and `at_s`, as one line of an inline table.
    deceives : bool
        Whether what arrives is well formed and wrong, so that no driver can know it by the wire.
    """

    name: str
    family: Family
    meaning: str
    parameters: tuple[FaultParameter, ...] = ()
    example: str = ""
    deceives: bool = False

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the parameters it cannot do without."""
        return (one.name for one in self.parameters if one.default is None)

    def problems(self, said: Mapping[str, object]) -> list[FaultProblem]:
        """Return what is wrong with the keys of a fault, occasion included; empty if nothing is."""
        own = {one.name: one for one in self.parameters}
        known = {**OCCASION, **own}
        found = [
            FaultProblem(name, None, f"{one.expected}, which the fault {self.name!r} takes")
            for name, one in own.items()
            if one.default is None and name not in said
        ]
        for key, value in said.items():
            if key not in known:
                words = [*own, *OCCASION]
                found.append(
                    FaultProblem(key, value, one_of(words), near_miss(key, words), unknown=True)
                )
            elif not known[key].accepts(value):
                found.append(FaultProblem(key, value, known[key].expected))
        if "address_to" in said and "address" not in said:
            found.append(FaultProblem("address", None, "the first register, with address_to"))
        return found

    def values(self, said: Mapping[str, FaultValue]) -> dict[str, FaultValue]:
        """Return the fault's own parameters, defaults filled in."""
        absent = {one.name: one.default for one in self.parameters if one.name not in said}
        own = {key: value for key, value in said.items() if key not in OCCASION}
        return {**{k: v for k, v in absent.items() if v is not None}, **own}


def specs_of(faults: Mapping[str, "Collection[str] | FaultSpec"]) -> dict[str, FaultSpec]:
    """Return an emulator's `FAULTS` with every entry a `FaultSpec`."""
    return {
        name: entry
        if isinstance(entry, FaultSpec)
        else FaultSpec(name, "state", "", tuple(FaultParameter(key, None) for key in entry))
        for name, entry in faults.items()
    }


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


class ArmedFault:
    """A fault that waits for its occasion.

    Parameters
    ----------
    spec : FaultSpec
        What it is.
    said : mapping
        Parameters and occasion as armed; they have no problems.
    now_s : float
        When it was armed. [s]
    """

    def __init__(self, spec: FaultSpec, said: Mapping[str, Any], now_s: float) -> None:
        self.values = spec.values(said)
        self.told = {key: value for key, value in said.items() if key not in OCCASION}
        self._said = said
        self._function, self._command = said.get("function"), said.get("command")
        self._low = said.get("address")
        self._high = said.get("address_to", self._low)
        self._skip = said.get("nth", 1) - 1
        self.ends_s = now_s + said["for_s"] if "for_s" in said else math.inf
        # One that lasts for a stated time is bounded by it, so it fires as often as it can.
        self.left = said.get("count", COUNT_MAX if "for_s" in said else 1)
        self.probability = said.get("probability", 1.0)

    def concerns(self, asked: Asked) -> bool:
        """Return whether a request is one of those it was armed for."""
        if self._function is not None and asked.function != self._function:
            return False
        if self._command is not None and asked.command != self._command:
            return False
        if self._low is None:
            return True
        return bool(asked.address <= self._high and self._low < asked.address + asked.count)

    def passes_over(self) -> bool:
        """Count one request it concerns; return whether its nth has not come yet."""
        if self._skip:
            self._skip -= 1
            return True
        return False
