"""Posts periods with their transactions until it is killed: `post_periods.py FOLDER`."""

import sys
from itertools import count
from pathlib import Path

from account import PASSWORD, ChainAccount

from gridrig.settlement import Journal
from gridrig.settlement.chain import Signer

folder = Path(sys.argv[1])
signer = Signer.from_keystore(folder / "key.json", PASSWORD)
account = ChainAccount(folder / "home" / "journal.sqlite", signer)
with Journal(account.journal) as journal:
    for period in count(len(journal.periods())):
        account.post_period(journal, period)
        print(period, flush=True)
