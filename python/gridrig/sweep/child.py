"""Starting the process of a point, waiting for it within a bound, and saying how it ended.

This is all that a worker does, on this machine or on another one: it needs no sweep folder.
"""

import json
import platform
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gridrig.campaign import records
from gridrig.campaign.formats import json_bytes
from gridrig.campaign.manifest import is_finished
from gridrig.campaign.outcomes import Outcome
from gridrig.clock.stopwatch import now_ns
from gridrig.sweep.place import POINT, RUN, SAID

ASK_S = 0.2  # how often a waiting thread looks whether it shall stop
ENDS_WITHIN_S = 60.0  # after it was asked to; safe sequence and evidence take their time


class Stopped(Exception):
    """The point was stopped before its end, so it is no result."""


def run_point(
    recipe: Mapping[str, Any],
    folder: Path,
    facts: Mapping[str, Any],
    *,
    within_s: float,
    stop: threading.Event | None = None,
    descriptors: Sequence[int] = (),
) -> None:
    """Run a point into a folder that exists and is empty.

    Parameters
    ----------
    recipe : mapping
        A recipe's JSON.
    folder : Path
        Gets `run/`, `said.txt` and, last of all, `point.json`.
    facts : mapping
        Number, seed and values; they go into `point.json`.
    within_s : float
        The point is ended as ERROR after this. [s]
    stop : threading.Event or None
        Ends the point when set.
    descriptors : sequence of int
        Open files that the process holds as long as it lives.

    Raises
    ------
    Stopped
        If `stop` was set; the folder then holds no `point.json`.
    """
    stop = stop or threading.Event()
    began_ns = now_ns()
    with (folder / SAID).open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "gridrig.sweep.point"],
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=said,
            pass_fds=tuple(descriptors),
            start_new_session=True,  # Ctrl-C is for us, who then end it in order
        )
        cause = _wait(process, {"recipe": recipe, "out": str(folder / RUN)}, within_s, stop)
    if stop.is_set():
        raise Stopped
    outcome, cause = _outcome(folder / RUN, process.returncode, cause)
    content = {
        **facts,
        "outcome": str(outcome),
        "exit_code": outcome.exit_code,
        "cause": cause,
        "wall_s": round((now_ns() - began_ns) / 1e9, 3),
        "host": platform.node(),
        "gridrig": version("gridrig"),
    }
    (folder / POINT).write_bytes(json_bytes(content))


def _wait(
    process: subprocess.Popen[bytes],
    told: Mapping[str, Any],
    within_s: float,
    stop: threading.Event,
) -> str:
    """Wait for the process to end, ask it to end, kill it; return why, if it was not itself."""
    assert process.stdin is not None
    cause = ""
    try:
        process.stdin.write(json.dumps(told).encode() + b"\n")
        process.stdin.flush()
        deadline_ns = now_ns() + round(within_s * 1e9)
        while process.poll() is None and not stop.wait(ASK_S):
            if now_ns() > deadline_ns:
                cause = f"not at its end after {within_s:g} s"
                break
        process.stdin.close()  # it ends by itself, with the bench safe
        process.wait(ENDS_WITHIN_S)
    except BrokenPipeError:
        process.wait(ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        cause = f"{cause or 'stopped'}, and killed {ENDS_WITHIN_S:g} s later"
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    return cause


def _outcome(run: Path, code: int, cause: str) -> tuple[Outcome, str]:
    """Return what the point came to: its verdicts if it came to its end, else ERROR."""
    if not is_finished(run):
        name = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        return Outcome.ERROR, cause or f"the process ended with {name} and signed no evidence"
    content = json.loads((run / records.VERDICTS).read_bytes())
    outcome, found = Outcome(content["outcome"]), str(content["cause"])
    if outcome.exit_code != code:  # a flaw of the report, for example
        return Outcome.ERROR, f"exit code {code}, verdict {outcome}; see {SAID}"
    if cause and outcome is not Outcome.UNSAFE:
        return Outcome.ERROR, cause
    return outcome, found
