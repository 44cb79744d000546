"""Workers of a benchmark: order, failures by name, nothing left behind; options and weeks."""

import multiprocessing
import os

import pytest
from unimportable_tasks import same
from worker_tasks import DEADLY, SLOW, UNLUCKY, doubled, threads_and_cores

from gridrig.bench.command import TOPICS
from gridrig.bench.rows import Measured
from gridrig.bench.weeks import ALL, read_weeks
from gridrig.bench.workers import THREADS, WorkerFailed, in_workers
from gridrig.cli import main
from gridrig.errors import BenchError


@pytest.mark.parametrize("workers", [1, 3])
def test_results_come_in_the_order_of_the_tasks(workers: int) -> None:
    assert in_workers(doubled, [SLOW, 1, 2, 3], workers) == [0, 2, 4, 6]


@pytest.mark.parametrize(
    ("bad", "code", "said"),
    [
        (UNLUCKY, "bench.worker_failed", "13: ValueError: unlucky"),
        (DEADLY, "bench.worker_ended", "17: its process ended with 3"),
    ],
)
def test_what_fails_is_named_by_its_task_and_all_workers_end(bad, code, said) -> None:
    with pytest.raises(WorkerFailed) as failed:
        in_workers(doubled, [1, bad, 3, 4], 2)
    assert failed.value.code == code
    assert said in str(failed.value)
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("workers", [1, 2])
def test_a_worker_that_ends_before_it_takes_its_task_is_named_by_it(workers: int) -> None:
    with pytest.raises(WorkerFailed, match="1: its process ended with 1") as failed:
        in_workers(same, [1, 1, 1], workers)
    assert failed.value.code == "bench.worker_ended"
    assert multiprocessing.active_children() == []


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="no affinity here")
def test_each_has_one_thread_and_all_cores_and_the_benchmark_has_what_it_had() -> None:
    before, cores = {name: os.environ.get(name) for name in THREADS}, os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {max(cores)})
        found = in_workers(threads_and_cores, ["a", "b"], 2)
        assert os.sched_getaffinity(0) == {max(cores)}
    finally:
        os.sched_setaffinity(0, cores)
    assert found == [({"1"}, len(cores))] * 2
    assert {name: os.environ.get(name) for name in THREADS} == before


def test_weeks_are_named_by_the_day_they_begin_on() -> None:
    assert read_weeks("45, 136") == (45, 136)
    assert read_weeks("all") == ALL
    assert len(ALL) == 52
    assert ALL[-1] == 357


@pytest.mark.parametrize("text", ["45,50", "45,45", "360", "-1", "4..6", "", "July"])
def test_weeks_that_share_a_day_or_are_none_are_refused(text: str) -> None:
    with pytest.raises(BenchError, match=r"bench\.week_unknown"):
        read_weeks(text)


def test_all_weeks_stand_alone() -> None:
    with pytest.raises(BenchError, match=r"found 'all,3', .*, or all, which stands alone"):
        read_weeks("all,3")


@pytest.mark.parametrize("option", ["weeks", "seeds", "workers"])
def test_an_option_of_another_topic_is_refused_by_name(option, capsys) -> None:
    assert main(["bench", "market", f"--{option}", "1"]) == 2
    said = capsys.readouterr().err
    assert f"bench.{option}: --{option} is of the topic microgrid, not of market" in said


def test_what_was_asked_for_reaches_the_topic_and_a_failure_is_no_usage_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def measure(workloads, quick, **options):
        asked.append((workloads, quick, options))
        if len(asked) == 2:
            raise WorkerFailed("bench.worker_failed", "{task}: {reason}", task="seed 3", reason="x")
        return Measured()

    topic = TOPICS["microgrid"]
    monkeypatch.setitem(TOPICS, "microgrid", type(topic)(**{**vars(topic), "measure": measure}))
    monkeypatch.setattr("gridrig.bench.command.pinned_machine", machine)
    command = ["bench", "microgrid", "--workload", "homes", "--json"]
    assert main([*command, "--weeks", "all", "--seeds", "1..3"]) == 0
    options = {"weeks": ALL, "seeds": (1, 2, 3), "workers": 7}
    assert asked == [(("homes",), False, options)]
    assert main([*command, "--workers", "2"]) == 4
    assert asked[1][2] == {"workers": 2}
    assert "bench.worker_failed: seed 3: x" in capsys.readouterr().err


def machine():
    from gridrig.bench.machine import Machine

    return Machine("a CPU", (), 7, 0)
