"""What `gridrig bench TOPIC` does: pin, measure, print the table or the JSON."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial

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
from gridrig.errors import BenchError


@dataclass(frozen=True)
class Topic:
    """One topic of the benchmark: its workloads, and what measures some of them.

    `measure` is given the chosen workloads and whether to be quick: small inputs and one
    repetition, enough to see that everything runs and too little to quote.
    """

    workloads: tuple[str, ...]
    measure: Callable[[Sequence[str], bool], Measured]
    only_when_named: frozenset[str] = frozenset()


TOPICS = {
    "devices": Topic(devices.WORKLOADS, devices.measure),
    "feeder": Topic(feeder.WORKLOADS, feeder.measure),
    "market": Topic(market.WORKLOADS, market.measure),
    "metering": Topic(metering.WORKLOADS, metering.measure, metering.ONLY_WHEN_NAMED),
    "microgrid": Topic(microgrid.WORKLOADS, microgrid.measure, microgrid.ONLY_WHEN_NAMED),
    "plant": Topic(plant.WORKLOADS, plant.measure),
    "settlement": Topic(settlement.WORKLOADS, settlement.measure, settlement.ONLY_WHEN_NAMED),
    "timing": Topic(timing.WORKLOADS, timing.measure),
    "trade": Topic(trade.WORKLOADS, trade.measure),
}


def bench_command(
    name: str,
    *,
    workloads: Sequence[str],
    quick: bool,
    as_json: bool,
    for_s: float | None = None,
) -> int:
    """Measure a topic and print what was found; `for_s` is how long `timing` drives. [s]

    Returns
    -------
    int
        0 whatever was measured: a goal that is not reached is a row, not a failure.

    Raises
    ------
    BenchError
        `bench.workload_unknown` if a workload is none of the topic's; `bench.for_s` if the topic
        takes no time.
    """
    topic = TOPICS[name]
    if for_s is not None:
        if name != "timing":
            raise BenchError(
                "bench.for_s", "--for-s is of the topic timing, not of {name}", name=name
            )
        topic = replace(topic, measure=partial(timing.measure, for_s=for_s))
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
    measured = topic.measure(tuple(workloads) or unnamed, quick)
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
