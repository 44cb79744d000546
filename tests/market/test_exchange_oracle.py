"""The engine says what the naive model says, of every command.

`GRIDRIG_CASES` sets the number of long streams of `STREAM_COMMANDS` commands each, half of them in
batches: 1000 of them are five million commands.
"""

import os
from random import Random

import pytest
from command_streams import (
    commands,
    draw_command,
    draw_rules,
    rules,
    run_batches,
    run_single,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_exchange import Command, Rules

from gridrig.market.exchange import REFUSALS

STREAM_COMMANDS = 5_000
CASES = int(os.environ.get("GRIDRIG_CASES", "20"))
BATCH_MAX = 64


@given(rules, st.lists(commands, max_size=60))
@settings(deadline=None, max_examples=200)
def test_short_streams_agree_after_every_command(made: Rules, stream: list[Command]) -> None:
    run_single(made, stream, state_every=1)


@pytest.mark.parametrize("seed", range(0, CASES, 2))
def test_long_streams_agree(seed: int) -> None:
    random = Random(seed)
    made = draw_rules(random)
    run_single(made, (draw_command(random) for _ in range(STREAM_COMMANDS)), state_every=100)


@pytest.mark.parametrize("seed", range(1, CASES, 2))
def test_long_streams_in_batches_agree(seed: int) -> None:
    random = Random(seed)
    made = draw_rules(random)
    stream = (draw_command(random) for _ in range(STREAM_COMMANDS))
    run_batches(made, stream, batch_max=BATCH_MAX)


def test_the_streams_reach_every_event_refusal_and_reason() -> None:
    seen: set[str] = set()
    for seed in range(12):
        random = Random(1_000 + seed)
        made = draw_rules(random)
        stream = (draw_command(random) for _ in range(2_000))
        seen |= set(run_single(made, stream, state_every=1_000)[2])
    assert set(REFUSALS) - seen == set()
    assert {"traded", "reduced", "expired", "self-match", "unfilled", "amended-to-filled"} <= seen
