"""What a stranger recomputes from a journal alone, without the core.

Post by post: the chain (every leaf, root and link again), then the books (amounts, who pays,
energy, balance and backing of every settlement); at the end the signed head.

Not checked here, because no journal holds it: the price at which a trade was made, and the
signatures of the readings (`gridrig audit RUN` checks both in a run directory).
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from gridrig.settlement.audit_lines import settlement_faults
from gridrig.settlement.audit_trades import TradesSettled
from gridrig.settlement.journal_head import GENESIS, Head, Post
from gridrig.settlement.journal_reader import JournalReader, PostRow
from gridrig.settlement.leaves import tree_of

__all__ = ["audit", "faults_of"]


def audit(path: Path | str, *, head: str | None = None) -> list[str]:
    """Recompute a journal and list what does not hold.

    Parameters
    ----------
    path : Path or str
        The journal; it is opened for reading only.
    head : str, optional
        A head that was noted elsewhere, as `Head.text` writes it: the journal has to go on from it.

    Returns
    -------
    list of str
        One line per fault, the first one first; none if all holds.

    Raises
    ------
    SettlementError
        `settlement.journal_unusable` if it cannot be read, `settlement.journal_foreign` if it is no
        journal of this version, `settlement.head_malformed` if `head` is no head.
    """
    noted = None if head is None else Head.read(head)
    with JournalReader(path) as journal, journal.snapshot():
        return list(faults_of(journal, noted=noted))


def faults_of(journal: JournalReader, *, noted: Head | None = None) -> Iterator[str]:
    """Yield the faults of an open journal, post by post."""
    yield from journal.page_faults()
    posts, link = journal.posts(), GENESIS
    listed, trades = [], TradesSettled()
    for post in posts:
        yield from _post_faults(journal, post, link)
        link = post.link
        listed.append(link)
        yield from settlement_faults(journal, post.period)
        yield from trades.faults_of(journal, post)
    yield from _strays(journal, {post.period for post in posts})
    yield from _head_faults(journal.head(), listed, noted)


def _post_faults(journal: JournalReader, post: PostRow, previous: bytes) -> Iterator[str]:
    """Compare a post with its rows and with the link before it."""
    tree = tree_of(journal, post.period)
    root = tree.root()
    if (tree.leaf_count, root) != (post.leaf_count, post.root):
        yield (
            f"period {post.period}: {tree.leaf_count} records of root {root.hex()} are not the "
            f"{post.leaf_count} of root {post.root.hex()} that were posted"
        )
    digest = hashlib.sha256(b"".join(journal.readings_of(post.period)))
    found = Post(
        *post[:7],
        settlements=tuple(journal.settlements(post.period)),
        readings_digest=digest.digest(),
    ).link(previous)
    if found != post.link:
        yield (
            f"period {post.period}: link {post.link.hex()} is not {found.hex()}: the post, its "
            "readings or a post before it were changed"
        )


def _strays(journal: JournalReader, periods: set[int]) -> Iterator[str]:
    """Find rows of no post, which no root and no link would miss."""
    for table, period, rows in journal.rows_by_post():
        if period not in periods:
            yield f"table {table}: {rows} rows of period {period}, which is not posted"


def _head_faults(head: Head, links: list[bytes], noted: Head | None) -> Iterator[str]:
    if head.posts != len(links):
        yield f"head: {head.posts} posts stated, {len(links)} found"
    elif links and head.link != links[-1]:
        yield f"head: link {head.link.hex()} is not that of the last post, {links[-1].hex()}"
    if head.signature is not None and not head.is_signed():
        yield "head: the signature is false"
    if noted is not None:
        heads = [Head(0, GENESIS), *(Head(n, link) for n, link in enumerate(links, 1))]
        if noted not in heads:
            yield f"head: the journal does not go on from {noted.text()}"
