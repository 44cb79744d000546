"""The key of an account, read from an encrypted keystore file and held in memory only."""

import json
from pathlib import Path
from typing import Any, Self

from gridrig.errors import SettlementError
from gridrig.settlement.chain.calls import Call
from gridrig.settlement.chain.extra import web3
from gridrig.settlement.chain.terms import Terms
from gridrig.settlement.key_place import refuse_misplaced

KEYSTORE_BYTES_MAX = 65_536


class Signer:
    """Signs transactions of one account.

    Cost: about 25 ms a signature, in Python.
    """

    def __init__(self, account: Any) -> None:
        self._account = account
        self.address = bytes.fromhex(account.address[2:])

    @classmethod
    def from_keystore(cls, path: Path | str, password: str) -> Self:
        """Read the key from a keystore file (Web3 Secret Storage, version 3).

        Parameters
        ----------
        path : Path or str
            The file. It may not lie in a run directory, nor beside a rig file: both are handed on.
        password : str
            What it was encrypted with.

        Raises
        ------
        SettlementError
            `settlement.chain_key_misplaced`, `settlement.chain_key_unreadable`,
            `settlement.chain_extra_missing`.
        """
        path = Path(path)
        refuse_misplaced(path, code="settlement.chain_key_misplaced", what="keystore")
        account_type = web3().Account
        try:
            with path.open("rb") as file:
                keystore = json.loads(file.read(KEYSTORE_BYTES_MAX))
            key = account_type.decrypt(keystore, password)
        except (OSError, ValueError, KeyError, TypeError, NotImplementedError) as fault:
            # The fault of a wrong password says nothing of the password.
            raise SettlementError(
                "settlement.chain_key_unreadable",
                "{path}: {fault}",
                path=str(path),
                fault=f"{type(fault).__name__}: {fault}",
            ) from None
        return cls(account_type.from_key(key))

    def sign(self, call: Call, terms: Terms, nonce: int) -> tuple[bytes, bytes]:
        """Return the signed bytes of a transaction and its hash; the same call, the same bytes."""
        fields: dict[str, Any] = {
            "chainId": terms.chain_id,
            "nonce": nonce,
            "gas": call.gas_max,
            "maxFeePerGas": terms.fee_wei_per_gas_max,
            "maxPriorityFeePerGas": terms.tip_wei_per_gas,
            "value": 0,
            "data": call.data,
        }
        if call.target is not None:
            fields["to"] = call.target
        signed = self._account.sign_transaction(fields)
        return bytes(signed.raw_transaction), bytes(signed.hash)

    def __repr__(self) -> str:
        """Name the account and nothing else."""
        return f"<Signer 0x{self.address.hex()}>"
