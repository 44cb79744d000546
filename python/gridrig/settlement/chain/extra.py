"""The optional packages behind the chain, asked for when they are needed and not before."""

from typing import Any

from gridrig.errors import SettlementError

COMMAND = "pip install 'gridrig[chain]'"


def web3() -> Any:
    """Return the module `web3`.

    Raises
    ------
    SettlementError
        `settlement.chain_extra_missing`, with the command that installs it.
    """
    try:
        import web3 as module
    except ImportError as fault:
        raise SettlementError(
            "settlement.chain_extra_missing",
            "the chain needs packages that are not installed ({fault}): {command}",
            fault=str(fault),
            command=COMMAND,
        ) from fault
    return module
