"""The index of certified energy: one claim on a quantum, whichever chain or scheme asks.

A registry refuses a second certificate for a quantum on its own chain and cannot see another. This
index sees all that this rig issues, and refuses before anything is signed: the claim and the signed
transaction are one commit.

What is claimed on a chain is entered in the register of certificates of the same database
(`gridrig.settlement.certificates`), and refused if that has a claim on any of its quanta; `publish`
lets a certificate of the register live on on a chain, where it is then the only one.

Invariants: rows are only added; one row per asset, quantum and direction, over all chains,
registries and schemes.

Known gap: it knows what is issued through this database. Issuers that keep separate indexes have to
exchange them.
"""

import sqlite3
from dataclasses import asdict, dataclass
from typing import Literal

from gridrig.errors import SettlementError
from gridrig.settlement.certificates_index import notice_within
from gridrig.settlement.certificates_store import CertificateStore, Scheme
from gridrig.settlement.chain.calls import GAS_CALL_MAX, GAS_QUANTUM_MAX, Call, call

QUANTUM_S = 300
QUANTA_MAX = 288
Direction = Literal["export", "import"]
_DIRECTIONS: tuple[Direction, ...] = ("export", "import")  # in the order of the contract
_SCHEMES: tuple[Scheme, ...] = ("certificate", "carbon-credit", "share")

_TABLES = (
    """CREATE TABLE IF NOT EXISTS certified (
        asset BLOB NOT NULL CHECK (length(asset) = 32),
        direction TEXT NOT NULL CHECK (direction IN ('export', 'import')),
        quantum INTEGER NOT NULL,
        scheme TEXT NOT NULL,
        chain_id INTEGER NOT NULL,
        registry BLOB NOT NULL CHECK (length(registry) = 20),
        first_quantum INTEGER NOT NULL,
        quanta INTEGER NOT NULL,
        owner BLOB NOT NULL CHECK (length(owner) = 20),
        energy_wh INTEGER NOT NULL CHECK (energy_wh > 0),
        PRIMARY KEY (asset, direction, quantum)
    ) STRICT, WITHOUT ROWID""",
    *(
        f"""CREATE TRIGGER IF NOT EXISTS certified_no_{verb} BEFORE {verb} ON certified
        BEGIN SELECT RAISE(ABORT, 'settlement.append_only'); END"""
        for verb in ("UPDATE", "DELETE")
    ),
)


@dataclass(frozen=True)
class Certificate:
    """A claim on what one connection point exported or imported in an interval.

    Parameters
    ----------
    asset : bytes, shape (32,)
        The pseudonym of the connection point, random, the same for every issuer.
    direction : str
        "export" or "import".
    first_quantum, quanta : int
        The interval, as `quanta_of` gives it.
    owner : bytes, shape (20,)
        Who gets it.
    energy_wh : int
        How much, positive. [Wh]
    chain_id, registry : int and bytes, shape (20,)
        Where it is issued.
    scheme : str
        What the energy is claimed as: "certificate", "carbon-credit" or "share".

    Raises
    ------
    SettlementError
        `settlement.certificate_malformed`, with `name`, `found` and `expected`.
    """

    asset: bytes
    direction: Direction
    first_quantum: int
    quanta: int
    owner: bytes
    energy_wh: int
    chain_id: int
    registry: bytes
    scheme: Scheme = "certificate"

    def __post_init__(self) -> None:
        rules = {
            "asset": (len(self.asset) == 32 and any(self.asset), "32 random bytes"),
            "direction": (self.direction in _DIRECTIONS, " or ".join(_DIRECTIONS)),
            "first_quantum": (self.first_quantum >= 0, "not negative"),
            "quanta": (1 <= self.quanta <= QUANTA_MAX, f"1 to {QUANTA_MAX}"),
            "owner": (len(self.owner) == 20, "20 bytes"),
            "energy_wh": (self.energy_wh > 0, "positive"),
            "registry": (len(self.registry) == 20, "20 bytes"),
            "scheme": (self.scheme in _SCHEMES, ", ".join(_SCHEMES)),
        }
        for name, (holds, expected) in rules.items():
            if not holds:
                raise SettlementError(
                    "settlement.certificate_malformed",
                    "{name} of a certificate is {found!r}, expected {expected}",
                    name=name,
                    found=getattr(self, name),
                    expected=expected,
                )

    @property
    def issuer(self) -> str:
        """The registry, named as in CAIP-10."""
        return f"eip155:{self.chain_id}:0x{self.registry.hex()}"


def quanta_of(from_s: int, to_s: int) -> tuple[int, int]:
    """Return first quantum and number of quanta that an interval touches.

    Parameters
    ----------
    from_s, to_s : int
        The interval, its end not in it. [s since 1970]

    Raises
    ------
    SettlementError
        `settlement.certificate_interval` if it is empty or longer than a day.

    Examples
    --------
    >>> quanta_of(900, 1800), quanta_of(901, 1201)
    ((3, 3), (3, 2))
    """
    first = from_s // QUANTUM_S
    quanta = -(-to_s // QUANTUM_S) - first
    if to_s <= from_s or quanta > QUANTA_MAX:
        raise SettlementError(
            "settlement.certificate_interval",
            "from {from_s} s to {to_s} s is not forward and within {most} quanta of {quantum} s",
            from_s=from_s,
            to_s=to_s,
            most=QUANTA_MAX,
            quantum=QUANTUM_S,
        )
    return first, quanta


def claim(db: sqlite3.Connection, certificate: Certificate) -> None:
    """Enter a certificate, inside the transaction in which it is signed.

    The same certificate again does nothing.

    Raises
    ------
    SettlementError
        `settlement.certificate_double_issue` with both records,
        `settlement.certificate_double_claim` if the register of certificates has it,
        `settlement.chain_no_transaction`. Nothing is entered then.
    """
    if not db.in_transaction:
        raise SettlementError(
            "settlement.chain_no_transaction",
            "a certificate is entered inside the commit that signs it: begin one first",
        )
    for statement in _TABLES:
        db.execute(statement)
    last = certificate.first_quantum + certificate.quanta
    taken = db.execute(
        "SELECT DISTINCT asset, direction, first_quantum, quanta, owner, energy_wh, chain_id, "
        "registry, scheme FROM certified WHERE asset = ? AND direction = ? AND quantum >= ? AND "
        "quantum < ? ORDER BY first_quantum",
        (certificate.asset, certificate.direction, certificate.first_quantum, last),
    ).fetchall()
    records = [Certificate(*row) for row in taken]
    if records == [certificate]:
        return
    if records:
        raise SettlementError(
            "settlement.certificate_double_issue",
            "asset {asset}: {direction} of quanta {first} to {last} is claimed as {scheme} on "
            "chain {chain_id} already, and is asked for as {asked}",
            asset=certificate.asset.hex(),
            direction=certificate.direction,
            first=records[0].first_quantum,
            last=records[0].first_quantum + records[0].quanta - 1,
            scheme=records[0].scheme,
            chain_id=records[0].chain_id,
            asked=f"{certificate.scheme} on chain {certificate.chain_id}",
            record=records[0],
            refused=certificate,
        )
    notice_within(
        db,
        asset=certificate.asset,
        direction=certificate.direction,
        first_quantum=certificate.first_quantum,
        quanta=certificate.quanta,
        energy_wh=certificate.energy_wh,
        scheme=certificate.scheme,
        issuer=certificate.issuer,
        holder="0x" + certificate.owner.hex(),
    )
    _insert(db, certificate)


def publish(
    db: sqlite3.Connection, number: int, *, chain_id: int, registry: bytes, owner: bytes
) -> Certificate:
    """Let a whole certificate of the register live on on a chain, where alone it then is.

    Parameters
    ----------
    db : sqlite3.Connection
        The database of register and outbox, inside the transaction in which `issue` is signed.
    number : int
        The certificate; all of it held by one holder.
    chain_id, registry, owner : int and bytes, shape (20,)
        Where it goes, and whose it is there.

    Raises
    ------
    SettlementError
        `settlement.certificate_not_whole`, `.certificate_ended`, `.certificate_frozen` and the
        other rules of a step; `.certificate_malformed`; `.chain_no_transaction`.
    """
    store = CertificateStore.within(db)
    claim = store.claim(number)
    certificate = Certificate(
        asset=claim.asset,
        direction=claim.direction,
        first_quantum=claim.first_quantum,
        quanta=claim.quanta,
        owner=owner,
        energy_wh=claim.energy_wh,
        chain_id=chain_id,
        registry=registry,
        scheme=claim.scheme,
    )
    holder = next((lot.holder for lot in store.lots(number)), claim.holder)
    store.move_out(number, 0, claim.energy_wh, holder, certificate.issuer)
    _insert(db, certificate)
    return certificate


def _insert(db: sqlite3.Connection, certificate: Certificate) -> None:
    for statement in _TABLES:
        db.execute(statement)
    last = certificate.first_quantum + certificate.quanta
    fields = asdict(certificate)
    db.executemany(
        "INSERT INTO certified VALUES (:asset, :direction, :quantum, :scheme, :chain_id, "
        ":registry, :first_quantum, :quanta, :owner, :energy_wh)",
        ({**fields, "quantum": n} for n in range(certificate.first_quantum, last)),
    )


def issue(certificate: Certificate) -> Call:
    """Return the call that issues a certificate; its subject names asset, interval, direction."""
    of = certificate
    subject = f"issue/{of.asset.hex()}/{of.direction}/{of.first_quantum}+{of.quanta}"
    arguments = (
        of.asset,
        of.first_quantum,
        of.quanta,
        _DIRECTIONS.index(of.direction),
        of.owner,
        of.energy_wh,
    )
    gas_max = GAS_CALL_MAX + GAS_QUANTUM_MAX * of.quanta
    return call(subject, of.registry, "CertificateRegistry", "issue", *arguments, gas_max=gas_max)
