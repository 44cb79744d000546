"""A node of one's own on this machine, for benches and CI: `anvil`, which the user installs.

Accounts and keys here are worth nothing and stand in public. What is signed with them is good for
the chain that this process started, and for no other.
"""

import functools
import os
import re
import shutil
import subprocess
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gridrig.errors import SettlementError
from gridrig.settlement.chain.extra import web3
from gridrig.settlement.chain.signer import Signer

EXECUTABLE, NAMED_BY = "anvil", "GRIDRIG_EVM_NODE"
COIN_WEI = 10**20  # what a bench's account may spend
LISTENS_S_MAX = 60.0  # from its start; a machine at work takes seconds


def node_executable() -> Path:
    """Return the node that is installed here.

    Raises
    ------
    SettlementError
        `settlement.chain_node_missing`, with how to get one.
    """
    named = os.environ.get(NAMED_BY)
    found = shutil.which(named or EXECUTABLE)
    if found is None:
        raise SettlementError(
            "settlement.chain_node_missing",
            "no node {found}: install Foundry's anvil, and put it on the path or name it in "
            "{variable}",
            found=named or EXECUTABLE,
            variable=NAMED_BY,
        )
    return Path(found)


@contextmanager
def local_node(
    chain_id: int,
    *,
    start_utc_s: int,
    executable: Path | None = None,
    port: int = 0,
    options: Sequence[str] = (),
) -> Iterator[str]:
    """Run a node until the block ends; it makes a block for each transaction.

    Parameters
    ----------
    chain_id : int
        EIP-155 number.
    start_utc_s : int
        Time of its first block. [s since 1970]
    executable : Path or None
        None for the one that is installed.
    port : int
        0 for any that is free.
    options : sequence of str
        What else it is told on its command line.

    Yields
    ------
    str
        The address of its JSON-RPC interface.

    Raises
    ------
    SettlementError
        `settlement.chain_node_missing`; `settlement.chain_node_ended`, also of a node that was
        ended because it did not listen in time.
    """
    command = [str(executable or node_executable()), "--port", str(port)]
    command += ["--chain-id", str(chain_id), "--timestamp", str(start_utc_s), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    # It tells of every request: nobody reading would stop it at a full pipe.
    reading = threading.Thread(target=deque, args=(process.stdout, 0), daemon=True)
    # A line that never comes is waited for in the kernel: only its end ends that.
    patience = threading.Timer(LISTENS_S_MAX, process.kill)
    patience.daemon = True
    patience.start()
    try:
        for line in process.stdout:
            if match := re.match(r"Listening on (127\.0\.0\.1:\d+)", line):
                patience.cancel()
                break
        else:
            raise SettlementError(
                "settlement.chain_node_ended",
                "{command} ended with {status} and did not listen within {limit_s:g} s",
                command=" ".join(command),
                status=process.wait(),
                limit_s=LISTENS_S_MAX,
            )
        reading.start()
        yield f"http://{match[1]}"
    finally:
        patience.cancel()
        process.kill()
        process.wait()
        if reading.ident is not None:
            reading.join()
        process.stdout.close()


@functools.cache
def worthless_signer(name: str) -> Signer:
    """Return an account whose key is the hash of its name: for a chain of this machine alone."""
    module = web3()
    return Signer(module.Account.from_key(module.Web3.keccak(text=f"gridrig bench {name}")))
