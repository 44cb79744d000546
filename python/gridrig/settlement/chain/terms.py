"""What every transaction of an account is signed with, and the chains that are refused."""

from dataclasses import dataclass

from gridrig.errors import SettlementError

# Chains where tokens have a price, or where what is written is public for good: EIP-155 numbers as
# their operators publish them.
PUBLIC_CHAINS = {
    1: "Ethereum",
    10: "OP Mainnet",
    25: "Cronos",
    56: "BNB Smart Chain",
    97: "BNB Smart Chain Testnet",
    100: "Gnosis",
    137: "Polygon",
    146: "Sonic",
    246: "Energy Web Chain",
    250: "Fantom",
    324: "ZKsync Era",
    1101: "Polygon zkEVM",
    5000: "Mantle",
    8453: "Base",
    17000: "Holesky",
    42161: "Arbitrum One",
    42220: "Celo",
    43113: "Avalanche Fuji",
    43114: "Avalanche",
    59144: "Linea",
    73799: "Energy Web Volta",
    80002: "Polygon Amoy",
    81457: "Blast",
    84532: "Base Sepolia",
    421614: "Arbitrum Sepolia",
    534352: "Scroll",
    560048: "Hoodi",
    11155111: "Sepolia",
    11155420: "OP Sepolia",
}


@dataclass(frozen=True)
class Terms:
    """The chain that transactions are for, and what gas may cost there.

    Parameters
    ----------
    chain_id : int
        EIP-155 number of the chain.
    fee_wei_per_gas_max : int
        Most that is paid for gas, base fee and tip together. [wei]
    tip_wei_per_gas : int
        What the block's builder gets of it. [wei]
    allow_public : bool
        Insist on a chain that is known to be public.

    Raises
    ------
    SettlementError
        `settlement.chain_public`, `settlement.chain_terms`.
    """

    chain_id: int
    fee_wei_per_gas_max: int
    tip_wei_per_gas: int = 1
    allow_public: bool = False

    def __post_init__(self) -> None:
        if self.chain_id < 1 or not 0 <= self.tip_wei_per_gas <= self.fee_wei_per_gas_max:
            raise SettlementError(
                "settlement.chain_terms",
                "chain id {chain_id}, tip {tip} and fee {fee} wei: expected a chain id from 1 and "
                "a tip between 0 and the fee",
                chain_id=self.chain_id,
                tip=self.tip_wei_per_gas,
                fee=self.fee_wei_per_gas_max,
            )
        if self.chain_id in PUBLIC_CHAINS and not self.allow_public:
            raise SettlementError(
                "settlement.chain_public",
                "chain {chain_id} is {name}, a public chain: what is written there stays; "
                "allow_public=True insists",
                chain_id=self.chain_id,
                name=PUBLIC_CHAINS[self.chain_id],
            )
