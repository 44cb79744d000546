"""The worked example of docs/chain.md, run as it stands, and then paid out."""

import re
import subprocess
import sys
from pathlib import Path

from account import (
    CHAIN_ID,
    PASSWORD,
    POLICY,
    START_S,
    TERMS,
    ChainAccount,
    committing,
    endow,
    write_keystore,
)
from anvil import HERE, Anvil

from gridrig.clock import Clock, run_virtual
from gridrig.events import EventLog
from gridrig.settlement import Journal
from gridrig.settlement.chain import ClaimTree, Node, Signer, calls, outbox

PAGE = HERE.parents[1] / "docs" / "chain.md"
ACCOUNTS = {b"\xa1" * 20: 1_250_000, b"\xb2" * 20: 730_001}


def test_the_example_anchors_a_period_and_fills_a_bucket_that_pays(
    node: Anvil, tmp_path: Path
) -> None:
    (name, text), *others = re.findall(
        r"^```python (\S+)\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL
    )
    assert (name, others) == ("settle.py", [])
    script = tmp_path / name
    script.write_text(text)
    keystore = write_keystore(tmp_path / "key.json")
    home = tmp_path / "home"
    home.mkdir()
    account = ChainAccount(home / "journal.sqlite", Signer.from_keystore(keystore, PASSWORD))
    Journal(account.journal).close()
    endow(node, account)
    done = subprocess.run(
        [sys.executable, script, node.url, keystore, account.journal],
        input=PASSWORD + "\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "all final: True"
    assert len(lines) == 2 + 7, done.stdout  # a head, seven transactions, no alarm
    assert all(line.count("s ") >= 3 for line in lines[2:]), done.stdout
    account.journal.with_suffix(".sqlite.chain").rename(account.journal.with_suffix(".chain"))
    pay(node, account)


def pay(node: Anvil, account: ChainAccount) -> None:
    me = account.signer.address
    token, escrow = (calls.contract_address(me, n) for n in (1, 2))
    tree = ClaimTree(
        chain_id=CHAIN_ID,
        contract=escrow,
        bucket=1,
        accounts=list(ACCOUNTS),
        amounts=list(ACCOUNTS.values()),
    )
    node.move_to(node.now_s() + 3_600)
    with committing(account.journal) as db:
        for payee in ACCOUNTS:
            outbox.add(db, calls.pay_claim(tree, payee), account.signer, TERMS, written_ms=0)

    async def main(clock: Clock) -> list[str]:
        log = EventLog(clock, [])
        sender = account.sender(Node(node.url), clock, log, policy=POLICY)
        assert await sender.drain(10)
        return [event.kind for event in log.ordered()]

    assert run_virtual(main, start_utc_s=START_S) == []
    rpc = Node(node.url)
    for payee, amount in {**ACCOUNTS, escrow: 0, me: 0}.items():
        asked = calls.call("", token, "SettlementToken", "balanceOf", payee)
        answer = rpc.call(token, asked.data)
        assert calls.decode("SettlementToken", "balanceOf", answer) == (amount,)
