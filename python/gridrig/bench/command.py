"""What `gridrig bench TOPIC` does: pin, measure, print the table or the JSON."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from gridrig.bench import (
    devices,
    feeder,
    market,
    metering,
    microgrid,
    plant,
    settlement,
    timing,
    trade,
)
from gridrig.bench.machine import pinned_machine
from gridrig.bench.rows import Measured
from gridrig.bench.table import print_table
from gridrig.bench.workers import WorkerFailed
from gridrig.errors import BenchError

NOT_RUN = 4  # exit code of an error


@dataclass(frozen=True)
class Topic:
    """One topic of the benchmark: its workloads, and what measures some of them.

    `measure` is given the chosen workloads and whether to be quick: small inputs and one
    repetition, enough to see that everything runs and too little to quote. Of `options` it is given
    those that were asked for, by name.
    """

    workloads: tuple[str, ...]
    measure: Callable[..., Measured]
    only_when_named: frozenset[str] = frozenset()
    options: frozenset[str] = frozenset()


TOPICS = {
    "devices": Topic(devices.WORKLOADS, devices.measure),
    "feeder": Topic(feeder.WORKLOADS, feeder.measure),
    "market": Topic(market.WORKLOADS, market.measure),
    "metering": Topic(metering.WORKLOADS, metering.measure, metering.ONLY_WHEN_NAMED),
    "microgrid": Topic(
        microgrid.WORKLOADS,
        microgrid.measure,
        microgrid.ONLY_WHEN_NAMED,
        frozenset({"weeks", "seeds", "workers"}),
    ),
    "plant": Topic(plant.WORKLOADS, plant.measure),
    "settlement": Topic(settlement.WORKLOADS, settlement.measure, settlement.ONLY_WHEN_NAMED),
    "timing": Topic(timing.WORKLOADS, timing.measure, options=frozenset({"for_s"})),
    "trade": Topic(trade.WORKLOADS, trade.measure),
}


def bench_command(
    name: str,
    *,
    workloads: Sequence[str],
    quick: bool,
    as_json: bool,
    options: Mapping[str, Any] | None = None,
) -> int:
    """Measure a topic and print what was found.

    Parameters
    ----------
    options : mapping of str to object, or None
        What some topics know alone: `for_s`, how long `timing` drives [s]; `weeks`, `seeds` and
        `workers` of `microgrid`, which by default takes as many workers as there are cores.

    Returns
    -------
    int
        0 whatever was measured: a goal that is not reached is a row, not a failure; 4 if a part of
        the workload could not be run.

    Raises
    ------
    BenchError
        `bench.workload_unknown` if a workload is none of the topic's; `bench.for_s`, `bench.weeks`
        and so on if the topic does not have that option.
    """
    topic = TOPICS[name]
    asked = dict(options or {})
    for option in asked.keys() - topic.options:
        raise BenchError(
            f"bench.{option}",
            "--{option} is of the topic {known}, not of {name}",
            option=option.replace("_", "-"),
            known=next(topic for topic, one in TOPICS.items() if option in one.options),
            name=name,
        )
    for workload in workloads:
        if workload not in topic.workloads:
            raise BenchError(
                "bench.workload_unknown",
                "workload {found!r} is none of {known}",
                found=workload,
                known=", ".join(topic.workloads),
            )
    machine = pinned_machine()
    unnamed = tuple(one for one in topic.workloads if one not in topic.only_when_named)
    if "workers" in topic.options:
        asked.setdefault("workers", machine.cores)
    try:
        measured = topic.measure(tuple(workloads) or unnamed, quick, **asked)
    except WorkerFailed as fault:
        print(f"gridrig bench: {fault}", file=sys.stderr)
        return NOT_RUN
    if quick:
        measured.rows = [replace(row, judged=False) for row in measured.rows]
        measured.remarks.append("quick: small inputs and few repetitions, figures not to quote")
    if as_json:
        found = {
            "topic": name,
            "quick": quick,
            "machine": asdict(machine),
            "rows": [row.to_json() for row in measured.rows],
            "missing": [asdict(one) for one in measured.missing],
            "remarks": measured.remarks,
        }
        print(json.dumps(found, indent=1))
    else:
        print_table(name, machine, measured)
    return 0
