"""Fixtures of the instrument tests."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from gridrig.clock import Clock, run_virtual, run_wall

START_UTC_S = 1_466_424_000
Body = Callable[[Clock], Awaitable[Any]]


@pytest.fixture
def on_bench() -> Callable[[Body], Any]:
    """Run a test's body on the virtual clock, where minutes cost nothing."""
    return lambda body: run_virtual(body, start_utc_s=START_UTC_S)


@pytest.fixture
def on_wall() -> Callable[[Body], Any]:
    """Run a test's body on the wall clock, beside a client that blocks in a thread."""
    return lambda body: run_wall(body, start_utc_s=START_UTC_S)
