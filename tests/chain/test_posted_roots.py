"""From a post to the chain: the root of every period that was posted is anchored, once."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from account import ChainAccount, anchored, endow, make_account
from anvil import HERE, Anvil
from rpc_proxy import Proxy, running_proxy

from gridrig.settlement.audit import audit
from gridrig.settlement.journal_reader import JournalReader


@pytest.fixture
def account(tmp_path: Path, node: Anvil) -> ChainAccount:
    made = make_account(tmp_path)
    endow(node, made)
    made.add_deployment()
    return made


@pytest.fixture
def proxy(node: Anvil) -> Iterator[Proxy]:
    with running_proxy(node.url) as running:
        yield running


def test_killed_after_the_commit_before_the_send_and_before_the_receipt_all_roots_are_anchored(
    node: Anvil, account: ChainAccount, proxy: Proxy, tmp_path: Path
) -> None:
    post = [sys.executable, HERE / "post_periods.py", tmp_path]
    send = [sys.executable, HERE / "send_to_the_end.py", proxy.url, tmp_path]
    for method, hold in (
        ("eth_sendRawTransaction", proxy.hold_before),
        ("eth_getTransactionReceipt", proxy.hold_before),
    ):
        writer = subprocess.Popen(post, stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        for _ in range(3):
            writer.stdout.readline()
        writer.kill()
        writer.communicate()
        proxy.holding.clear()
        proxy.released.clear()
        proxy.answers[method] = hold
        sender = subprocess.Popen(send)
        assert proxy.holding.wait(20)
        sender.kill()
        assert sender.wait() == -signal.SIGKILL
        proxy.released.set()
        proxy.answers.clear()
    subprocess.run(send, check=True, capture_output=True, timeout=60)
    with JournalReader(account.journal) as journal:
        posted = [(one.period, one.root) for one in journal.posts()]
    assert len(posted) >= 6
    assert anchored(node, account) == posted
    assert audit(account.journal) == []
