"""Fixtures of the device tests."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from modbus_bench import START_UTC_S, Run

from gridrig.clock import Clock, run_virtual, run_wall


def _on_clock(runner: Callable[..., Any]) -> Run:
    def on_clock(main: Callable[[], Awaitable[Any]]) -> Any:
        async def body(_: Clock) -> Any:
            return await main()

        return runner(body, start_utc_s=START_UTC_S)

    return on_clock


@pytest.fixture(params=["virtual", "wall"])
def run(request: pytest.FixtureRequest) -> Run:
    """Run a test's body on each clock."""
    return _on_clock(run_virtual if request.param == "virtual" else run_wall)


@pytest.fixture
def run_fast() -> Run:
    """Run a test's body on the virtual clock only: it waits long."""
    return _on_clock(run_virtual)
