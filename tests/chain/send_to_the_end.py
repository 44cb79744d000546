"""A sender in a process of its own, to be killed: `send_to_the_end.py URL FOLDER`."""

import json
import sqlite3
import sys
from pathlib import Path

from account import CHAIN_ID, PASSWORD, POLICY, START_S, ChainAccount

from gridrig.clock import Clock, run_wall
from gridrig.events import EventLog
from gridrig.settlement.chain import Node, Progress, Signer, clocks


async def main(clock: Clock) -> None:
    url, folder = sys.argv[1], Path(sys.argv[2])
    signer = Signer.from_keystore(folder / "key.json", PASSWORD)
    account = ChainAccount(folder / "home" / "journal.sqlite", signer)
    progress = Progress(account.journal.with_suffix(".chain"))
    sender = account.sender(Node(url), clock, EventLog(clock, []), progress=progress, policy=POLICY)
    await sender.drain(50)
    with sqlite3.connect(account.journal) as db:
        told = clocks(db, progress, sender=signer.address, chain_id=CHAIN_ID)
    print(json.dumps({"final": sum(one.final_ms is not None for one in told)}))


run_wall(main, start_utc_s=START_S)
