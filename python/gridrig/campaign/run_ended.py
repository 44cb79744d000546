"""How the part of a run that is on the clock came to its end."""

import asyncio
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gridrig.campaign.loop import Loop
from gridrig.campaign.outcomes import Outcome
from gridrig.errors import GridrigError
from gridrig.rig.safe_end import SafeReport


@dataclass
class Ended:
    """How the part of a run that is on the clock came to its end; what comes first counts."""

    outcome: Outcome = Outcome.PASS
    cause: str = ""
    trace_back: str = ""
    loop: Loop | None = None
    opened: tuple[str, ...] = ()
    safe: SafeReport | None = None
    identities: dict[str, dict[str, str]] = field(default_factory=dict)
    endpoints: list[dict[str, Any]] = field(default_factory=list)
    _cancel: Callable[[], object] | None = None

    def blame(self, error: BaseException) -> None:
        """End the run as ERROR."""
        if self.outcome is Outcome.PASS:
            self.outcome = Outcome.ERROR
            self.cause = str(error) if isinstance(error, GridrigError) else repr(error)
            self.trace_back = "".join(traceback.format_exception(error))

    def stop(self, cause: str) -> None:
        """End the run as ABORTED, once: a second time must not stop the way to the safe state."""
        if self.outcome is Outcome.PASS and self._cancel is not None:
            self.outcome, self.cause = Outcome.ABORTED, cause
            self._cancel()

    def cancel_by(self, task: asyncio.Task[None] | None) -> None:
        """Name the task that a stop cancels; None once there is nothing left to stop."""
        loop = asyncio.get_running_loop()
        self._cancel = None
        if task is not None:
            self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
