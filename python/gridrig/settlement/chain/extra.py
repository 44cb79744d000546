"""The optional packages behind the chain, asked for when they are needed and not before."""

import sys
from typing import Any

from gridrig.errors import SettlementError

COMMAND = "pip install 'gridrig[chain]'"


def web3() -> Any:
    """Return the module `web3`.

    One of its dependencies (py_ecc) raises the interpreter's recursion limit to 100,000 when it is
    imported, and JSON nested that deep then overflows the C stack. The limit stays as it was.

    Raises
    ------
    SettlementError
        `settlement.chain_extra_missing`, with the command that installs it.
    """
    limit = sys.getrecursionlimit()
    try:
        import web3 as module
    except ImportError as fault:
        raise SettlementError(
            "settlement.chain_extra_missing",
            "the chain needs packages that are not installed ({fault}): {command}",
            fault=str(fault),
            command=COMMAND,
        ) from fault
    finally:
        sys.setrecursionlimit(limit)
    return module
