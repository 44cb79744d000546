"""A register of certificates in SQLite: what it answers survives the process and the machine.

Invariants: rows are only added; every step is one event with the next number, decided by the Rust
register and committed before the answer; what a file holds is decided again when it is opened, so
a row that breaks a rule is found. Another process's events are taken in before each step.

Limits: integers of 64 bits; 5 s of waiting for another process's lock.

Cost: a step is a commit; opening a file applies all its events. What is refused costs no more than
what is accepted: whoever has many things to do keeps one register open.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, TypeAlias

from gridrig._core import CertificateRegister, EnergyClaim, MeterPeriod
from gridrig.durable_file import FileKind, prepare
from gridrig.errors import SettlementError
from gridrig.settlement.certificates_lots import Lot, Supply
from gridrig.settlement.certificates_rows import (
    apply_row,
    events_after,
    insert_claim,
    require_transaction,
)
from gridrig.settlement.certificates_schema import (
    APPLICATION_ID,
    PAGE_BYTES,
    SCHEMA_VERSION,
    schema_sql,
)

LOCK_WAIT_S_MAX = 5.0
Scheme: TypeAlias = Literal["certificate", "carbon-credit", "share"]


class CertificateStore:
    """A register of certificates in a file of its own, or within a transaction of another.

    Parameters
    ----------
    path : Path or str
        The file; made if there is none.

    Raises
    ------
    SettlementError
        `settlement.certificate_file_unusable`, `.certificate_file_foreign`,
        `.certificate_file_false` if its rows break the rules.
    """

    def __init__(self, path: Path | str) -> None:
        self._core = CertificateRegister()
        self._name, self._is_guest = str(path), False
        try:
            self._db = sqlite3.connect(path, timeout=LOCK_WAIT_S_MAX, isolation_level=None)
        except sqlite3.Error as fault:
            raise self._unusable(fault) from fault
        try:
            self._take()
        except BaseException:  # whatever is refused leaves no file open
            self._db.close()
            raise

    def _take(self) -> None:
        """Make the open file a register's if it is empty, and take in its events."""
        kind = FileKind(APPLICATION_ID, SCHEMA_VERSION, PAGE_BYTES, schema_sql())
        try:
            foreign = prepare(self._db, kind)
        except sqlite3.Error as fault:
            raise self._unusable(fault) from fault
        if foreign:
            raise SettlementError(
                "settlement.certificate_file_foreign",
                "{path} is not a register of version {expected}, found application {application}, "
                "version {version}",
                path=self._name,
                expected=SCHEMA_VERSION,
                application=foreign.application,
                version=foreign.version,
            )
        self._catch_up()

    @classmethod
    def within(cls, db: sqlite3.Connection) -> Self:
        """Return the register of a database whose transaction the caller has begun and commits.

        What the caller rolls back is gone from the register too; it is for that transaction only.

        Raises
        ------
        SettlementError
            `settlement.chain_no_transaction`, `settlement.certificate_file_false`.
        """
        require_transaction(db)
        store = cls.__new__(cls)
        store._core = CertificateRegister()
        store._db, store._name, store._is_guest = db, "the transaction's database", True
        store._catch_up()
        return store

    def _catch_up(self) -> None:
        """Take in the events of others."""
        for number, table, row in events_after(self._db, self._core.events):
            try:
                if number != self._core.events + 1:
                    raise SettlementError(
                        "settlement.certificate_number",
                        "event {found} stands where {expected} has to",
                        found=number,
                        expected=self._core.events + 1,
                    )
                apply_row(self._core, table, number, row)
            except SettlementError as fault:
                raise SettlementError(
                    "settlement.certificate_file_false",
                    "{path}: event {number}: {fault}",
                    path=self._name,
                    number=number,
                    fault=fault.message,
                ) from fault

    @property
    def events(self) -> int:
        """How many events it was made of; the next one has the next number."""
        return self._core.events

    @contextmanager
    def whole(self) -> Iterator[sqlite3.Connection]:
        """Commit several steps together or not at all; give what is to be in the same commit.

        Yields
        ------
        sqlite3.Connection
            In the transaction, for whoever takes part in it by `within`.

        Raises
        ------
        SettlementError
            `settlement.certificate_file_unusable`; what a step refuses takes back all of them.
        """
        with self._commit():
            was_guest, self._is_guest = self._is_guest, True
            try:
                yield self._db
            finally:
                self._is_guest = was_guest

    @contextmanager
    def _step(self) -> Iterator[int]:
        """Give the number of the next event, and commit what is done about it, or nothing."""
        with self._commit():
            yield self._core.events + 1

    @contextmanager
    def _commit(self) -> Iterator[None]:
        """Commit what is done, or nothing of it; a guest's caller commits."""
        db, before = self._db, -1
        try:
            if not self._is_guest:
                db.execute("BEGIN IMMEDIATE")
                self._catch_up()
            before = self._core.events
            yield
            if not self._is_guest:
                db.execute("COMMIT")
        except BaseException as fault:
            if not self._is_guest and db.in_transaction:
                db.execute("ROLLBACK")
            if self._core.events != before:
                # The register in memory may be ahead of the file by what was rolled back.
                self._core = CertificateRegister()
                self._catch_up()
            if isinstance(fault, sqlite3.Error):
                raise self._unusable(fault) from fault
            raise

    def name(self, point: str, asset: bytes) -> None:
        """Give a connection point its pseudonym, once for good.

        Parameters
        ----------
        point : str
            The connection point, as the network operator names it.
        asset : bytes, shape (32,)
            As `new_asset` makes it.

        Raises
        ------
        SettlementError
            `settlement.certificate_asset`, `.certificate_text`, `.certificate_point_repeated`,
            `.certificate_asset_repeated`.
        """
        with self._step() as number:
            self._core.name(point, asset)
            self._insert("certificate_point", number, point, asset)

    def enrol(
        self,
        meter: str,
        serial: str,
        *,
        asset: bytes,
        start_milliwh: int = 0,
        carried_milliwh: int = 0,
        storage_permille: int | None = None,
    ) -> None:
        """Enrol a meter whose export is certified.

        Parameters
        ----------
        meter, serial : str
            As the trust store names them.
        asset : bytes, shape (32,)
            The connection point, named before.
        start_milliwh, carried_milliwh : int
            Its export register now, if it has one; what a meter before it counted and did not
            certify, below 1 Wh. [mWh]
        storage_permille : int, optional
            Round-trip efficiency, if a storage lies behind it.

        Raises
        ------
        SettlementError
            `settlement.certificate_carried`, `.certificate_efficiency`,
            `.certificate_asset_unknown`, `.certificate_source_repeated`.
        """
        with self._step() as number:
            self._core.enrol(
                meter,
                serial,
                asset=asset,
                start_milliwh=start_milliwh,
                carried_milliwh=carried_milliwh,
                storage_permille=storage_permille,
            )
            source = (meter, serial, asset, start_milliwh, carried_milliwh, storage_permille)
            self._insert("certificate_source", number, *source)

    def mint(
        self, period: MeterPeriod, *, holder: str, issuer: str, scheme: Scheme = "certificate"
    ) -> EnergyClaim | None:
        """Mint the certificate of a period, or return the same one if it was minted before.

        Parameters
        ----------
        period : MeterPeriod
            Between two readings of the registers of a source, or an interval that it signed; at
            most an hour.
        holder, issuer : str
            Who gets it, and who issues it.
        scheme : str
            What the energy is claimed as.

        Returns
        -------
        EnergyClaim or None
            None if it has no whole Wh; its part is carried to the next. What an interval leaves is
            kept as a claim of 0 Wh.

        Raises
        ------
        SettlementError
            `settlement.certificate_double_claim` with both records as `record` and `refused`, and
            the other rules of `docs/certificates.md`.
        """
        with self._step() as number:
            claim = self._core.mint(period, scheme=scheme, issuer=issuer, holder=holder)
            if claim is not None and claim.number == number:
                self._core.enter(claim)
                insert_claim(self._db, claim)
        return claim if claim is not None and claim.energy_wh else None

    def notice(self, claim: EnergyClaim) -> EnergyClaim:
        """Enter the claim of another issuer, so that its energy is not claimed here.

        Parameters
        ----------
        claim : EnergyClaim
            With any number; it gets the next one. It mints nothing.

        Raises
        ------
        SettlementError
            `settlement.certificate_double_claim` with both records.
        """
        with self._step() as number:
            noticed = EnergyClaim(
                number=number,
                asset=claim.asset,
                direction=claim.direction,
                first_quantum=claim.first_quantum,
                quanta=claim.quanta,
                energy_wh=claim.energy_wh,
                scheme=claim.scheme,
                issuer=claim.issuer,
                holder=claim.holder,
                is_from_storage=claim.is_from_storage,
            )
            self._core.enter(noticed)
            insert_claim(self._db, noticed)
        return noticed

    def split(self, certificate: int, from_wh: int, energy_wh: int, holder: str) -> None:
        """Make some watt-hours of a lot a lot of their own."""
        with self._step() as number:
            self._core.split(certificate, from_wh, energy_wh, holder)
            self._insert_step(number, "split", certificate, from_wh, energy_wh, holder)

    def transfer(
        self, certificate: int, from_wh: int, energy_wh: int, holder: str, to: str
    ) -> None:
        """Give some watt-hours of a lot to another holder."""
        with self._step() as number:
            self._core.transfer(certificate, from_wh, energy_wh, holder, to)
            self._insert_step(number, "transfer", certificate, from_wh, energy_wh, holder, to)

    def retire(
        self,
        certificate: int,
        from_wh: int,
        energy_wh: int,
        holder: str,
        *,
        purpose: str,
        beneficiary: str,
    ) -> None:
        """Use some watt-hours up, for good, for a purpose and in somebody's name."""
        with self._step() as number:
            self._core.retire(
                certificate, from_wh, energy_wh, holder, purpose=purpose, beneficiary=beneficiary
            )
            lot = (certificate, from_wh, energy_wh, holder)
            self._insert_step(number, "retire", *lot, beneficiary, purpose)

    def charge(
        self, certificate: int, from_wh: int, energy_wh: int, holder: str, storage: bytes
    ) -> None:
        """Retire some watt-hours to charge the storage of an asset."""
        with self._step() as number:
            self._core.charge(certificate, from_wh, energy_wh, holder, storage)
            lot = (certificate, from_wh, energy_wh, holder)
            self._insert_step(number, "charge", *lot, storage.hex())

    def move_out(
        self, certificate: int, from_wh: int, energy_wh: int, holder: str, place: str
    ) -> None:
        """Let a whole certificate live on in a registry elsewhere."""
        with self._step() as number:
            self._core.move_out(certificate, from_wh, energy_wh, holder, place)
            self._insert_step(number, "move", certificate, from_wh, energy_wh, holder, place)

    def withdraw(self, digest: bytes) -> list[int]:
        """Freeze every certificate that a withdrawn reading backs; return their numbers.

        What of them was retired or moved before is `Supply.unbacked_wh` from then on.
        """
        with self._step():
            frozen = self._core.withdrawn(digest)
            for certificate in frozen:
                self._core.freeze(certificate, digest)
                number = self._core.events
                self._insert_step(number, "freeze", certificate, digest=digest)
        return frozen

    def claim(self, certificate: int) -> EnergyClaim:
        """Return a claim by its number; `settlement.certificate_unknown` if there is none."""
        return self._core.claim(certificate)

    def claims(self) -> list[EnergyClaim]:
        """Return all claims in the order of their numbers."""
        return self._core.claims()

    def asset_of(self, point: str) -> bytes | None:
        """Return the pseudonym of a connection point, if it has one."""
        select = "SELECT asset FROM certificate_point WHERE point = ?"
        row = self._db.execute(select, (point,)).fetchone()
        return None if row is None else bytes(row[0])

    def is_enrolled(self, meter: str, serial: str) -> bool:
        """Tell whether a meter is a source."""
        select = "SELECT 1 FROM certificate_source WHERE meter = ? AND serial = ?"
        return self._db.execute(select, (meter, serial)).fetchone() is not None

    def is_frozen(self, certificate: int) -> bool:
        """Tell whether the reading behind a certificate was withdrawn."""
        return self._core.is_frozen(certificate)

    def lots(self, certificate: int | None = None) -> list[Lot]:
        """Return the lots of one certificate or of all, by certificate and watt-hour."""
        return [Lot(*row) for row in self._core.lots(certificate)]

    def supply(self) -> Supply:
        """Return what became of everything minted."""
        return Supply(*self._core.supply())

    def _insert(self, table: str, *row: object) -> None:
        self._db.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)

    def _insert_step(
        self,
        number: int,
        kind: str,
        certificate: int,
        from_wh: int | None = None,
        energy_wh: int | None = None,
        holder: str | None = None,
        party: str | None = None,
        purpose: str | None = None,
        *,
        digest: bytes | None = None,
    ) -> None:
        step = (kind, certificate, from_wh, energy_wh, holder, party, purpose, digest)
        self._insert("certificate_step", number, *step)

    def _unusable(self, fault: sqlite3.Error) -> SettlementError:
        return SettlementError(
            "settlement.certificate_file_unusable",
            "{path}: {fault}",
            path=self._name,
            fault=str(fault),
        )

    def close(self) -> None:
        """Close the file; a guest's database stays open."""
        if not self._is_guest:
            self._db.close()

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the store."""
        self.close()
