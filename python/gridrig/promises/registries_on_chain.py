"""Certificates of a plant on a chain, and those that a second registry made of the same hours.

The plant's hours are minted in the register of certificates and moved to a registry on a chain,
each in the commit that signs it. There they are passed on, in parts and several at once, and
retired. Somebody else, who sees neither register nor chain, certifies some of the hours on another.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from gridrig._core import MeterPeriod
from gridrig.promises.bench_chains import BenchChain
from gridrig.promises.chain_reader import BlockRead, CertificateRead, ChainReader
from gridrig.promises.lives_on_chain import FRIEND, ISSUER, OWNER, REGISTRY
from gridrig.promises.register_text import registers
from gridrig.settlement.certificates import CertificateStore
from gridrig.settlement.chain import Call, Certificate, calls, certificates, outbox
from gridrig.settlement.chain.local_node import worthless_signer
from gridrig.settlement.chain.registry_audit import double_counts, issued, supply_by_block

POINT = "connection point"
HOUR_QUANTA = 12
PLANTED: tuple[tuple[int, int, int], ...] = ((0, 0, 12), (1, 6, 12), (3, 4, 1), (4, 0, 36))
"""What the other certifies: from which hour of ours, how many quanta into it, for how many.

The same hour, halves of two hours, five minutes, three hours at once.
"""
DOUBLES = ((0, 0), (1, 1), (1, 2), (2, 3), (3, 4), (3, 5), (3, 6))
"""Which of these claims which of our hours a second time."""
HOURS_DOUBLED = 7


async def move_to_chain(
    chain: BenchChain, registry: bytes, asset: bytes, hours: Sequence[MeterPeriod]
) -> list[Certificate]:
    """Mint hours in the register, and let them live on on the chain, in the order of time."""
    owner = chain.account(OWNER)
    with chain.writing(ISSUER) as db:
        store = CertificateStore.within(db)
        first = hours[0].readings[0]
        store.name(POINT, asset)
        store.enrol(first.meter, first.serial, asset=asset, start_milliwh=first.export_milliwh or 0)
        minted = [store.mint(hour, holder=OWNER, issuer=ISSUER) for hour in hours]
    chain.next_block_at(hours[-1].to_ms // 1000)
    moved = []
    for claim in minted:
        if claim is None:
            continue  # no whole watt-hour
        with chain.writing(ISSUER) as db:
            one = certificates.publish(
                db, claim.number, chain_id=chain.chain_id, registry=registry, owner=owner
            )
            call = certificates.issue(one)
            outbox.add(db, call, worthless_signer(ISSUER), chain.terms, written_ms=0)
        await chain.include(ISSUER)
        moved.append(one)
    return moved


async def use(chain: BenchChain, registry: bytes, moved: Sequence[Certificate]) -> None:
    """Pass certificates on and retire some of them, in parts of odd sizes."""
    owner, friend = chain.account(OWNER), chain.account(FRIEND)
    numbers = [
        one.number
        for one in ChainReader(chain.url).certificates(registry)
        if one.asset[2:] == moved[0].asset.hex()
    ]
    sizes = [one.energy_wh for one in moved]

    def said(function: str, *given: object) -> Call:
        return calls.call(f"use/{function}/{len(deeds)}", registry, REGISTRY, function, *given)

    deeds: list[tuple[str, Call]] = []
    for who, function, given in (
        (OWNER, "safeTransferFrom", (owner, friend, numbers[0], sizes[0] // 3, b"")),
        (
            OWNER,
            "safeBatchTransferFrom",
            (owner, friend, numbers[1:4], [sizes[1], 1, sizes[3] // 7], b""),
        ),
        (FRIEND, "retire", (numbers[0], sizes[0] // 3 - 1, "part")),
        (OWNER, "retire", (numbers[0], sizes[0] - sizes[0] // 3, "all that was left")),
        (FRIEND, "retire", (numbers[1], sizes[1], "whole")),
        (FRIEND, "safeTransferFrom", (friend, owner, numbers[2], 1, b"")),
        (OWNER, "retire", (numbers[2], sizes[2], "whole again")),
    ):
        deeds.append((who, said(function, *given)))
    for who, call in deeds:
        await chain.attempt(who, REGISTRY, call)


async def certify_elsewhere(
    chain: BenchChain, registry: bytes, ours: Sequence[Certificate], stranger: bytes
) -> None:
    """Let somebody else certify parts of our hours, and what only looks like them."""

    def theirs(
        asset: bytes, first: int, quanta: int, direction: certificates.Direction = "export"
    ) -> Certificate:
        return Certificate(
            asset=asset,
            direction=direction,
            first_quantum=first,
            quanta=quanta,
            owner=chain.account(OWNER),
            energy_wh=700,
            chain_id=chain.chain_id,
            registry=registry,
        )

    asset, begin = ours[0].asset, ours[0].first_quantum
    behind = ours[-1].first_quantum + ours[-1].quanta
    made = [
        theirs(asset, ours[hour].first_quantum + into, quanta) for hour, into, quanta in PLANTED
    ]
    made += [
        theirs(stranger, begin, HOUR_QUANTA),
        theirs(asset, begin, HOUR_QUANTA, "import"),
        theirs(asset, behind, HOUR_QUANTA),
        theirs(asset, begin - HOUR_QUANTA, HOUR_QUANTA),
    ]
    chain.next_block_at((behind + HOUR_QUANTA) * certificates.QUANTUM_S)  # metered by then
    for one in made:
        await chain.attempt(ISSUER, REGISTRY, certificates.issue(one))


def units_unlike_meters_wh(
    issued_there: Sequence[CertificateRead], asset: bytes, records: Sequence[bytes], hours: int
) -> int:
    """Return what a chain's certificates differ from the text of records by, hour by hour. [Wh]

    Of the first hours of a meter: each certificate is what the register grew by in whole
    watt-hours, from what it showed at the first.
    """
    rows = [registers(record) for record in records[: hours + 1]]
    whole = [(exported - rows[0][2]) // 1000 for _, _, exported in rows]
    due = {rows[n][0] // 300: whole[n + 1] - whole[n] for n in range(len(rows) - 1)}
    there = {
        one.first_quantum: one.energy_wh for one in issued_there if one.asset[2:] == asset.hex()
    }
    return sum(abs(due.get(at, 0) - there.get(at, 0)) for at in due.keys() | there.keys())


def supply_unlike_issued_wh(rows: Sequence[BlockRead]) -> int:
    """Return by how much a registry's supply ever was not what it issued less what it retired. [Wh]

    At every block, by its own events, by the standard's transfers and by the balances.
    """
    return max(
        max(
            abs(row.held_wh - (row.issued_wh - row.retired_wh)),
            abs(row.issued_wh - row.minted_wh),
            abs(row.retired_wh - row.burnt_wh),
        )
        for row in rows
    )


def audit_unlike_reader(chain: BenchChain, registry: bytes, rows: Sequence[BlockRead]) -> int:
    """Return in how many blocks gridrig's own audit says something else than the reader."""
    ours = {row.block: row[1:] for row in supply_by_block(chain.node, registry)}
    read = [(row.issued_wh, row.retired_wh, row.held_wh) for row in rows]
    nothing = (0, 0, 0)
    wrong, last = 0, nothing
    for row, found in zip(rows, read, strict=True):
        last = ours.get(row.block, last)  # between its blocks nothing changed
        wrong += last != found
    return wrong


def double_counts_unlike_planted(
    chains: Sequence[BenchChain], registries: Sequence[bytes], ours: Sequence[Certificate]
) -> int:
    """Return how many pairs an audit of both chains should name and does not, or the reverse."""
    found = double_counts(
        one
        for chain, registry in zip(chains, registries, strict=True)
        for one in issued(chain.node, registry)
    )
    named = [((a.registry, a.first_quantum), (b.registry, b.first_quantum)) for a, b in found]
    return len(set(named) ^ set(_planted(chains, registries, ours))) + len(named) - len(set(named))


def _planted(
    chains: Sequence[BenchChain], registries: Sequence[bytes], ours: Sequence[Certificate]
) -> Iterator[tuple[tuple[str, int], tuple[str, int]]]:
    here, there = (
        f"eip155:{chain.chain_id}:0x{registry.hex()}"
        for chain, registry in zip(chains, registries, strict=True)
    )
    for theirs, hour in DOUBLES:
        first, into, _ = PLANTED[theirs]
        yield (here, ours[hour].first_quantum), (there, ours[first].first_quantum + into)


def changed(rows: Sequence[BlockRead]) -> int:
    """Return in how many blocks a registry issued, retired or held something else than before."""
    return sum(one[1:] != other[1:] for one, other in pairwise(rows))
