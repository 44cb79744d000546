"""One run of a sweep, in a process of its own.

The parent writes one line of JSON to our standard input and keeps it open. When it closes, the
parent has died or wants an end: then the run is stopped as by SIGTERM, so that a bench ends safe
and no run is ever left behind without somebody to take it.
"""

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from gridrig.campaign.recipe import Recipe
from gridrig.campaign.run import run
from gridrig.commands import render
from gridrig.errors import GridrigError
from gridrig.rig.lease import take_lease


def main() -> int:
    """Make the run that standard input tells of and return its exit code."""
    told: dict[str, Any] = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    out = Path(told["out"])
    try:
        rig, scenario, seed = Recipe.from_json(told["recipe"]).prepare()
        lease = take_lease(rig, f"gridrig sweep, {out}")
        result = run(rig, scenario, out, seed=seed, render=render, lease=lease)
    except GridrigError as error:
        print(error, file=sys.stderr)
        return 4
    if result.flaw:
        print(f"the report was not made: {result.flaw}", file=sys.stderr)
    return result.outcome.exit_code


def _end_with_parent() -> None:
    # Not through `sys.stdin`, whose lock the interpreter would then miss at its own end.
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
