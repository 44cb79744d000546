"""The exception tree: a stable code, the facts as attributes, and a text derived from them."""

from dataclasses import dataclass
from typing import Any, Literal

DriverFailure = Literal[
    "timeout", "refused", "framing", "busy", "unavailable", "limit", "readback", "other"
]


class GridrigError(Exception):
    """Anything gridrig refuses or cannot do.

    Parameters
    ----------
    code : str
        Stable dotted name of the failure, for programs; never reused.
    message : str
        `str.format` template over the facts, for people: lower case, no full stop.
    **facts
        The values the message speaks of; each is also an attribute.
    """

    def __init__(self, code: str, message: str = "", **facts: Any) -> None:
        self.code = code
        self.facts = facts
        self.message = message.format(**facts) if facts else message
        super().__init__(f"{code}: {self.message}" if self.message else code)

    def __getattr__(self, name: str) -> Any:
        facts = self.__dict__.get("facts", {})
        if name in facts:
            return facts[name]
        raise AttributeError(name)


class ClockError(GridrigError):
    """The run's clock could not go on, or was asked for something it refuses."""


class MarketError(GridrigError):
    """A market input is malformed; a refused order is a result, not this error."""


class MindError(GridrigError):
    """A forecast or a schedule cannot be made from what it was given."""


class MeteringError(GridrigError):
    """A signed reading is false, or could not be decided."""


class SettlementError(GridrigError):
    """A period cannot be settled, or the journal refuses."""


class GridError(GridrigError):
    """The feeder model is wrong or did not converge."""


class BenchError(GridrigError):
    """A benchmark was asked for what it does not have, or an engine came to a wrong answer."""


class PlantError(GridrigError):
    """The physical world was given a value it cannot hold."""


class DriverError(GridrigError):
    """A device did not do what its driver asked.

    `kind` answers the same small set for every driver, whatever its own errors are.
    """

    def __init__(
        self, code: str, message: str = "", *, kind: DriverFailure = "other", **facts: Any
    ) -> None:
        super().__init__(code, message, **facts)
        self.kind: DriverFailure = kind


class CampaignError(GridrigError):
    """A run or a procedure is not well formed, or its evidence is not."""


@dataclass(frozen=True)
class Issue:
    """One thing wrong in a file: where, what was found, what was expected."""

    file: str
    key: str
    found: str
    expected: str
    near_miss: str | None = None

    def text(self) -> str:
        """Return the issue as one line for people."""
        hint = f" (did you mean {self.near_miss!r}?)" if self.near_miss else ""
        return f"{self.file}: {self.key}: found {self.found}, expected {self.expected}{hint}"


class RigError(GridrigError):
    """A rig or scenario file is wrong; carries every issue found, not only the first."""

    def __init__(
        self, code: str, message: str = "", *, issues: tuple[Issue, ...] = (), **facts: Any
    ) -> None:
        self.issues = issues
        super().__init__(code, message, **facts)

    def __str__(self) -> str:
        lines = [super().__str__(), *(f"  {issue.text()}" for issue in self.issues)]
        return "\n".join(lines)
