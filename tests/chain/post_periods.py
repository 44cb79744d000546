"""Posts periods with their transactions until it is killed: `post_periods.py FOLDER`."""

import sys
from itertools import count
from pathlib import Path

from account import PASSWORD, TERMS, ChainAccount, committing, root_of

from gridrig.settlement.chain import Signer, calls, outbox

folder = Path(sys.argv[1])
signer = Signer.from_keystore(folder / "key.json", PASSWORD)
account = ChainAccount(folder / "home" / "journal.sqlite", signer)
for period in count():
    with committing(account.journal) as db:
        db.execute("INSERT INTO period VALUES (?, 0, 0, 0, 0, 0)", (period,))
        call = calls.anchor_period(account.anchor, period, root_of(period))
        outbox.add(db, call, signer, TERMS, written_ms=period)
    print(period, flush=True)
