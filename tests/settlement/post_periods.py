"""Posts periods until it is killed or done: `post_periods.py FOLDER PERIODS [FOLD | SYNCHRONOUS]`.

Goes on where the journal in the folder ends. The metering ledger is a file of its own: every record
goes through it first, and settlement takes from it whatever it accepted and no post has yet. Each
period that is durable is acknowledged by a line in the file `ack`. With FOLD the log is folded into
the file behind every post, not only when it has become long.
"""

import os
import sys
from pathlib import Path

from ledger_street import LedgerStreet
from street import KEY

from gridrig.settlement import Journal
from gridrig.settlement.journal_fold import LOG_BYTES_MAX

folder, periods, more = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
log_bytes_max = 0 if more == ["FOLD"] else LOG_BYTES_MAX
ack = os.open(folder / "ack", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
with (
    Journal(folder / "journal", key=KEY, log_bytes_max=log_bytes_max) as journal,
    LedgerStreet(folder / "ledger") as street,
):
    for pragma in more if log_bytes_max else ():
        journal._db.execute(f"PRAGMA synchronous = {pragma}")
    for period in range(len(journal.periods()), periods):
        settled, accepted = street.settle(journal, period)
        journal.post(settled, accepted=accepted)
        os.write(ack, b"%d\n" % period)
