"""The whole path on a real node: sent once, followed to finality, right after every failure."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import keccak_oracle as oracle
import pytest
from account import (
    CHAIN_ID,
    POLICY,
    START_S,
    TERMS,
    ChainAccount,
    anchored,
    committing,
    endow,
    make_account,
    root_of,
)
from anvil import HERE, Anvil, running_anvil
from rpc_proxy import Answer, Proxy, error, instead, result, running_proxy, status

from gridrig.clock import Clock, run_virtual, run_wall
from gridrig.errors import SettlementError
from gridrig.events import EventLog
from gridrig.settlement.chain import Node, Progress, Sender, SenderPolicy, calls, clocks

PERIODS = 4
REQUEST_S_MAX = 5.0


@pytest.fixture
def account(node: Anvil, tmp_path: Path) -> ChainAccount:
    made = make_account(tmp_path)
    endow(node, made)
    made.add_deployment()
    for period in range(PERIODS):
        made.add_period(period)
    return made


@pytest.fixture
def proxy(node: Anvil) -> Iterator[Proxy]:
    with running_proxy(node.url) as running:
        yield running


def run(
    account: ChainAccount,
    url: str,
    act: Callable[[Sender, Clock, EventLog], Awaitable[Any]],
    **given: Any,
) -> list[dict[str, Any]]:
    """Run a sender on a virtual clock and return its events."""
    log: list[dict[str, Any]] = []

    async def main(clock: Clock) -> None:
        events = EventLog(clock, [])
        node = Node(url, request_s_max=given.pop("request_s_max", REQUEST_S_MAX))
        await act(account.sender(node, clock, events, **given), clock, events)
        log.extend(event.row() for event in events.ordered())

    run_virtual(main, start_utc_s=START_S)
    return log


async def to_the_end(sender: Sender, clock: Clock, log: EventLog) -> None:
    assert await sender.drain(60)


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["kind"] for event in events]


def proven(node: Anvil, account: ChainAccount, periods: int = PERIODS) -> None:
    """Assert that each period is anchored once and in order, and no nonce went elsewhere."""
    assert anchored(node, account) == [(n, root_of(n)) for n in range(periods)]
    sent = int(
        node.rpc("eth_getTransactionCount", "0x" + account.signer.address.hex(), "latest"), 16
    )
    assert sent == periods + 1


def test_what_was_signed_offline_is_anchored_once_and_in_order(
    node: Anvil, account: ChainAccount
) -> None:
    assert run(account, node.url, to_the_end) == []
    proven(node, account)
    # Nothing is left to do, for this sender or for one that lost its progress.
    assert run(account, node.url, to_the_end) == []
    account.journal.with_suffix(".chain").unlink()
    assert run(account, node.url, to_the_end) == []
    proven(node, account)


def test_what_is_added_after_all_was_final_is_sent_too(node: Anvil, account: ChainAccount) -> None:
    async def act(sender: Sender, clock: Clock, log: EventLog) -> None:
        for more in range(3):
            await to_the_end(sender, clock, log)
            proven(node, account, PERIODS + more)
            account.add_period(PERIODS + more)
        await to_the_end(sender, clock, log)

    assert run(account, node.url, act) == []
    proven(node, account, PERIODS + 3)


def test_acceptance_inclusion_and_finality_are_three_times(
    node: Anvil, account: ChainAccount
) -> None:
    node.rpc("evm_setAutomine", False)
    progress = Progress(account.journal.with_suffix(".chain"))
    policy = SenderPolicy(poll_s=10.0, confirmations=3, head_stale_s=None)

    def found() -> list[list[int | None]]:
        with committing(account.journal) as db:
            told = clocks(db, progress, sender=account.signer.address, chain_id=CHAIN_ID)
        stations = [(one.accepted_ms, one.included_ms, one.final_ms) for one in told]
        return [[at and at - START_S * 1000 for at in one] for one in stations]

    async def act(sender: Sender, clock: Clock, log: EventLog) -> None:
        for expected in (
            [0, None, None],
            [0, 10_000, None],
            [0, 10_000, None],
            [0, 10_000, 30_000],
        ):
            await sender.round()
            assert found() == [expected] * (PERIODS + 1)
            node.rpc("evm_mine")
            await clock.sleep(sender.wait_s())

    try:
        assert run(account, node.url, act, policy=policy, progress=progress) == []
    finally:
        node.rpc("evm_setAutomine", True)
    proven(node, account)


def test_a_transaction_that_waits_in_the_node_is_an_alarm_when_it_is_overdue(
    node: Anvil, account: ChainAccount, proxy: Proxy
) -> None:
    node.rpc("evm_setAutomine", False)

    async def act(sender: Sender, clock: Clock, log: EventLog) -> None:
        for _ in range(3):
            assert not await sender.round()
        assert proxy.seen["eth_sendRawTransaction"] == 3 * (PERIODS + 1)
        assert log.ordered() == []
        await clock.sleep(sender.policy.overdue_s + 1.0)
        for _ in range(3):  # each of them is told of once
            assert not await sender.round()
        node.rpc("evm_mine")
        await to_the_end(sender, clock, log)

    try:
        events = run(account, proxy.url, act)
        assert [(e["kind"], e["nonce"]) for e in events] == [
            ("chain.overdue", nonce) for nonce in range(PERIODS + 1)
        ]
    finally:
        node.rpc("evm_setAutomine", True)
    proven(node, account)


def test_without_a_count_of_confirmations_the_chain_says_what_is_final(tmp_path: Path) -> None:
    """With one slot in an epoch, a block is final when two more are on it."""
    account = make_account(tmp_path)
    account.add_deployment()
    policy = SenderPolicy(confirmations=None, head_stale_s=None)

    async def act(sender: Sender, clock: Clock, log: EventLog) -> None:
        assert [await sender.round() for _ in range(3)] == [False] * 3
        node.rpc("anvil_mine", "0x1")
        assert not await sender.round()
        node.rpc("anvil_mine", "0x1")
        assert await sender.round()

    with running_anvil("--slots-in-an-epoch", "1") as node:
        endow(node, account)
        assert run(account, node.url, act, policy=policy) == []


@pytest.mark.parametrize(
    ("misbehaves", "alarm"),
    [
        (status(429), "chain.node_busy"),
        (status(503), "chain.node_faulty"),
        (lambda request, forward: b"<html>no JSON</html>", "chain.node_faulty"),
        (lambda request, forward: b"[]", "chain.node_faulty"),
        (lambda request, forward: None, "chain.node_down"),
        (Proxy.hold_before, "chain.node_slow"),
        (error("insufficient funds for gas * price + value"), "chain.refused"),
    ],
    ids=["429", "503", "html", "list", "cut", "slow", "refused"],
)
@pytest.mark.parametrize("method", ["eth_getTransactionReceipt", "eth_sendRawTransaction"])
def test_a_failing_node_is_told_of_once_backed_off_from_and_overcome(
    node: Anvil, account: ChainAccount, proxy: Proxy, misbehaves: Answer, alarm: str, method: str
) -> None:
    if misbehaves is Proxy.hold_before:
        misbehaves = proxy.hold_before  # type: ignore[assignment]
    proxy.answers[method] = misbehaves
    waits = []

    async def act(sender: Sender, clock: Clock, log: EventLog) -> None:
        for _ in range(4):
            assert not await sender.round()
            waits.append(sender.wait_s())
            await clock.sleep(sender.wait_s())
        proxy.released.set()
        proxy.answers.clear()
        await to_the_end(sender, clock, log)

    policy = SenderPolicy(
        confirmations=1, head_stale_s=None, back_off_s_first=1.0, back_off_s_max=4.0
    )
    events = run(account, proxy.url, act, policy=policy, request_s_max=0.5)
    assert kinds(events) == [alarm, "chain.recovered"]
    assert waits == [1.0, 2.0, 4.0, 4.0]
    proven(node, account)


def test_a_reply_that_is_lost_after_the_node_took_the_transaction_doubles_nothing(
    node: Anvil, account: ChainAccount, proxy: Proxy
) -> None:
    def lost(request: dict[str, Any], forward: Callable[[], bytes]) -> None:
        forward()

    proxy.answers["eth_sendRawTransaction"] = lost
    events = run(account, proxy.url, to_the_end)
    assert set(kinds(events)) == {"chain.node_down", "chain.recovered"}
    proven(node, account)


def test_an_endpoints_access_key_is_told_to_nobody(account: ChainAccount, proxy: Proxy) -> None:
    async def act(sender: Sender, clock: Clock, log: EventLog) -> None:
        for misbehaves in (status(429), status(503), lambda request, forward: None):
            proxy.everything = misbehaves
            await sender.round()

    told = run(account, f"{proxy.url}/v3/sesame", act)
    assert len(told) == 3
    assert "sesame" not in json.dumps(told)


def test_an_outage_of_ten_minutes_delays_and_changes_nothing(tmp_path: Path) -> None:
    """The node is gone for ten minutes of a running campaign; the control loop misses nothing."""
    account = make_account(tmp_path)
    account.add_deployment()
    with running_anvil() as node:
        endow(node, account)
        port = int(node.url.rsplit(":", 1)[1])
    lateness_s = []

    async def act(sender: Sender, clock: Clock, log: EventLog) -> None:
        sending = asyncio.ensure_future(sender.run())
        for minute in range(10):
            account.add_period(minute)
            for tick in range(60):
                lateness_s.append(await clock.sleep_until(60 * minute + tick + 1))
        with running_anvil(port=port) as again:
            endow(again, account)
            await clock.sleep(2 * POLICY.back_off_s_max)
            sending.cancel()
            proven(again, account, periods=10)
            head = calls.call("", account.anchor, "PeriodAnchor", "head")
            heads.append(Node(again.url).call(account.anchor, head.data))

    heads: list[bytes] = []
    events = run(account, f"http://127.0.0.1:{port}", act)
    assert kinds(events) == ["chain.node_down", "chain.recovered"]
    assert lateness_s == [0.0] * 600
    # What the chain holds is a function of the roots: as if there had been no outage.
    head = bytes(32)
    for period in range(10):
        head = oracle.keccak(head + period.to_bytes(8, "big") + root_of(period))
    assert heads == [head]


def test_a_journal_that_is_gone_is_an_alarm(account: ChainAccount, node: Anvil) -> None:
    away = account.journal.with_suffix(".away")
    account.journal.rename(away)

    async def act(sender: Sender, clock: Clock, log: EventLog) -> None:
        assert not await sender.round()
        away.rename(account.journal)
        await to_the_end(sender, clock, log)

    assert kinds(run(account, node.url, act)) == ["chain.outbox_unreadable", "chain.recovered"]
    proven(node, account)


@pytest.mark.parametrize("setting", ["poll_s", "overdue_s", "in_flight_max", "confirmations"])
def test_a_policy_that_never_waits_or_believes_is_refused(setting: str) -> None:
    with pytest.raises(SettlementError) as refused:
        SenderPolicy(**{setting: 0})
    assert (refused.value.code, refused.value.name) == ("settlement.chain_policy", setting)


def test_nothing_is_sent_to_another_chain(node: Anvil, account: ChainAccount, proxy: Proxy) -> None:
    proxy.answers["eth_chainId"] = result(hex(1))

    async def act(sender: Sender, clock: Clock, log: EventLog) -> None:
        assert not await sender.drain(3)

    (alarm,) = run(account, proxy.url, act)
    assert (alarm["kind"], alarm["found"], alarm["expected"]) == ("chain.wrong_chain", 1, CHAIN_ID)
    assert proxy.seen["eth_sendRawTransaction"] == 0


def test_nothing_is_sent_on_the_word_of_a_head_that_stands_still(
    node: Anvil, account: ChainAccount, proxy: Proxy
) -> None:
    policy = SenderPolicy(poll_s=10.0, confirmations=1, head_stale_s=25.0)
    proxy.answers["eth_sendRawTransaction"] = error("not now")

    async def act(sender: Sender, clock: Clock, log: EventLog) -> None:
        await sender.round()  # the head is seen; the node takes nothing
        await clock.sleep(26.0)
        sent = proxy.seen["eth_sendRawTransaction"]
        proxy.answers.clear()
        for _ in range(3):
            assert not await sender.round()
        assert proxy.seen["eth_sendRawTransaction"] == sent
        node.rpc("evm_mine")
        await to_the_end(sender, clock, log)

    events = run(account, proxy.url, act, policy=policy)
    assert kinds(events) == ["chain.refused", "chain.head_stale", "chain.recovered"]
    proven(node, account)


def test_a_head_that_falls_back_is_disbelieved_for_a_while(
    node: Anvil, account: ChainAccount, proxy: Proxy
) -> None:
    """A second node behind the same address lags: it knows neither block nor transaction."""
    policy = SenderPolicy(poll_s=10.0, confirmations=1_000, head_stale_s=25.0)

    async def act(sender: Sender, clock: Clock, log: EventLog) -> None:
        await sender.round()
        await sender.round()
        sent = proxy.seen["eth_sendRawTransaction"]
        behind = instead(number="0x0", hash="0x" + "0" * 64)
        proxy.answers["eth_getBlockByNumber"] = behind
        proxy.answers["eth_getTransactionReceipt"] = result(None)
        for _ in range(2):
            assert not await sender.round()
            await clock.sleep(1.0)
        assert proxy.seen["eth_sendRawTransaction"] == sent
        proxy.answers.clear()
        await sender.round()

    events = run(account, proxy.url, act, policy=policy)
    assert kinds(events) == ["chain.head_behind", "chain.recovered"]
    proven(node, account)


@pytest.mark.parametrize("head_stale_s", [None, 25.0])
def test_what_a_reorganisation_took_back_is_sent_again_and_anchored_once(
    node: Anvil, account: ChainAccount, head_stale_s: float | None
) -> None:
    policy = SenderPolicy(poll_s=10.0, confirmations=20, head_stale_s=head_stale_s)
    before = node.rpc("evm_snapshot")
    first: list[str] = []

    async def act(sender: Sender, clock: Clock, log: EventLog) -> None:
        await sender.round()
        await sender.round()
        proven(node, account)
        first.append(node.rpc("eth_getBlockByNumber", "latest", False)["hash"])
        assert node.rpc("evm_revert", before)
        node.move_to(node.now_s() + 5)  # other blocks than before
        assert anchored(node, account) == []
        for _ in range(8):
            await sender.round()
            await clock.sleep(sender.wait_s())
        proven(node, account)
        node.rpc("anvil_mine", "0x14")
        await to_the_end(sender, clock, log)

    events = run(account, node.url, act, policy=policy)
    behind = [] if head_stale_s is None else ["chain.head_behind"]
    recovered = [] if head_stale_s is None else ["chain.recovered"]
    taken_back = ["chain.reorganised"] * (PERIODS + 1)
    assert sorted(kinds(events)) == sorted(behind + taken_back + recovered)
    assert node.rpc("eth_getBlockByNumber", "latest", False)["hash"] != first[0]
    proven(node, account)


def test_a_reverted_transaction_is_an_alarm_and_can_be_tried_again(
    node: Anvil, account: ChainAccount
) -> None:
    wrong = calls.anchor_period(account.anchor, PERIODS + 7, root_of(0))
    account.add(wrong)
    events = run(account, node.url, to_the_end)
    assert [(e["kind"], e["subject"]) for e in events] == [("chain.reverted", wrong.subject)]
    progress = Progress(account.journal.with_suffix(".chain"))
    with committing(account.journal) as db:
        told = clocks(db, progress, sender=account.signer.address, chain_id=CHAIN_ID)
    assert [one.failure for one in told] == [None] * (PERIODS + 1) + ["reverted"]
    again = account.add(wrong, attempt=1)
    assert again.nonce == PERIODS + 2
    assert kinds(run(account, node.url, to_the_end)) == ["chain.reverted"]


def test_a_nonce_that_somebody_else_used_is_an_alarm(node: Anvil, account: ChainAccount) -> None:
    stranger = account.signer.sign(calls.Call("", b"\x11" * 20, b"", 21_000), TERMS, 0)[0]
    Node(node.url).send(stranger)

    async def act(sender: Sender, clock: Clock, log: EventLog) -> None:
        for _ in range(3):
            assert not await sender.round()

    events = run(account, node.url, act)
    assert [(e["kind"], e["nonce"]) for e in events if e["kind"] == "chain.nonce_taken"] == [
        ("chain.nonce_taken", 0)
    ]


def test_the_control_loop_goes_on_while_a_node_keeps_it_waiting(
    account: ChainAccount, proxy: Proxy
) -> None:
    """On the wall clock, ticks pass while an answer is outstanding: nothing waits for it."""
    proxy.answers["eth_chainId"] = proxy.hold_between

    async def main(clock: Clock) -> int:
        sender = account.sender(Node(proxy.url, request_s_max=10.0), clock, EventLog(clock, []))
        asked = asyncio.ensure_future(sender.round())
        while not proxy.holding.is_set():
            await clock.sleep(0.001)
        ticks = 0
        for _ in range(50):
            await clock.sleep(0.001)
            ticks += not asked.done()
        proxy.released.set()
        await asked
        return ticks

    assert run_wall(main, start_utc_s=START_S) == 50


def test_a_sender_killed_between_any_two_messages_doubles_and_loses_nothing(
    node: Anvil, account: ChainAccount, proxy: Proxy, tmp_path: Path
) -> None:
    """kill -9 with a message before the node, and after it; then once more to the end."""
    child = [sys.executable, HERE / "send_to_the_end.py", proxy.url, tmp_path]
    for method, hold in (
        ("eth_sendRawTransaction", proxy.hold_before),
        ("eth_sendRawTransaction", proxy.hold_after),
        ("eth_getTransactionReceipt", proxy.hold_before),
    ):
        proxy.holding.clear()
        proxy.released.clear()
        proxy.answers[method] = hold
        killed = subprocess.Popen(child)
        assert proxy.holding.wait(20)
        killed.kill()
        assert killed.wait() == -signal.SIGKILL
        proxy.released.set()
        proxy.answers.clear()
    done = subprocess.run(child, check=True, capture_output=True, text=True, timeout=30)
    assert json.loads(done.stdout)["final"] == PERIODS + 1
    proven(node, account)
