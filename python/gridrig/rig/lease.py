"""Who may use the real devices of a bench: one run at a time, the others wait in line.

A lease is held on wires, not on rig files: two rig files that name the same inverter exclude each
other. Each wire is a file that its owner has locked (`flock`), so the kernel ends a dead owner's
lease, and a copy of the descriptors keeps it alive: the watchdog has one, and so a bench is free
only after whoever used it *and* its watchdog are gone. Emulated devices are private to their run
and need no lease.

Limits: one host, because a lock does not reach another; a gateway is one wire, whoever its units
are. The files stay; they are empty of meaning once nobody has locked them.
"""

import contextlib
import fcntl
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from gridrig.clock.wall_time import arrival_ns, sleep, utc_now
from gridrig.errors import RigError
from gridrig.rig.description import Rig
from gridrig.rig.device import Device
from gridrig.rig.links import RtuLink, SerialLink

LEASES = "GRIDRIG_LEASES"  # the environment variable that names the folder of the lock files
ASK_S = 0.2  # how often somebody waiting asks again
WAITING_MAX = 100


@dataclass(frozen=True)
class Owner:
    """Who holds a lease.

    Parameters
    ----------
    pid : int
        Process id on this host.
    what : str
        What it does, such as `gridrig run storm`.
    rig : str
        Name of its rig.
    since : str
        When it took the lease, by the host's clock. [UTC, ISO 8601]
    """

    pid: int
    what: str
    rig: str
    since: str

    def __str__(self) -> str:
        return f"process {self.pid} ({self.what}, rig {self.rig}, since {self.since})"


def wires_of(rig: Rig) -> tuple[str, ...]:
    """Return the wires of a rig that lead to devices gridrig does not emulate, sorted.

    A serial port is named by the device file behind it, whatever link in `/dev` led there.
    """
    return tuple(sorted({wire_of(device) for device in rig.devices if not device.emulated}))


def wire_of(device: Device) -> str:
    """Return the wire that leads to a device that gridrig does not emulate."""
    link = device.link
    if isinstance(link, RtuLink | SerialLink):
        return os.path.realpath(link.port)
    return f"{link.host.lower()}:{link.port}"


class Lease:
    """The right to use some wires, until it is given back or its last holder dies.

    Parameters
    ----------
    wires : sequence of str
        What is held; empty is a lease of nothing.
    descriptors : sequence of int
        The locked files, for a process that shall hold the lease too.
    """

    def __init__(self, wires: Sequence[str], descriptors: Sequence[int]) -> None:
        self.wires = tuple(wires)
        self.descriptors = tuple(descriptors)

    def give_back(self) -> None:
        """End this process' hold; twice does nothing."""
        for descriptor in self.descriptors:
            os.close(descriptor)
        self.descriptors = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.give_back()


def take_lease(
    rig: Rig,
    what: str,
    *,
    wait_s: float = 0.0,
    on_wait: Callable[[str, Owner | None], object] = lambda wire, owner: None,
) -> Lease:
    """Take all wires of a rig, or none.

    Parameters
    ----------
    rig : Rig
        The bench.
    what : str
        What it is taken for; others read it while they wait.
    wait_s : float
        How long to wait in line, first come, first served; 0 asks once. [s]
    on_wait : callable
        Told once for each wire that somebody else holds, and who that is.

    Raises
    ------
    RigError
        `rig.bench_taken` with the wire and its owner, `rig.lease_queue` if the line is full.
    """
    held: list[int] = []
    wires = wires_of(rig)
    deadline_ns = arrival_ns() + round(wait_s * 1e9)
    try:
        # Always in the same order, so that two who need the same two wires cannot block each other.
        for wire in wires:
            held.append(_lock(wire, deadline_ns, on_wait))
    except BaseException:
        for descriptor in held:
            os.close(descriptor)
        raise
    owner = Owner(os.getpid(), what, rig.name, utc_now())
    for descriptor in held:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(asdict(owner)).encode(), 0)
    return Lease(wires, held)


def _lock(wire: str, deadline_ns: int, on_wait: Callable[[str, Owner | None], object]) -> int:
    path = _folder() / f"{wire.strip('/').replace('/', '+')}.lock"
    # Anybody on this host may use the bench after us, so anybody may write the file.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        with _in_line(path.with_suffix(".line")) as is_first:
            told = False
            while not (is_first() and _try(descriptor)):
                owner = _owner_in(descriptor)
                if arrival_ns() >= deadline_ns:
                    raise RigError(
                        "rig.bench_taken",
                        "{wire} is in use by {owner}; --wait SECONDS waits in line",
                        wire=wire,
                        owner=str(owner or "somebody who waits for it"),
                    )
                if not told:
                    on_wait(wire, owner)
                    told = True
                sleep(ASK_S)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


@contextlib.contextmanager
def _in_line(folder: Path) -> Iterator[Callable[[], bool]]:
    """Stand in the line of a wire; whoever has left it or died is passed over."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir()
        folder.chmod(0o1777)
    if len(_tickets(folder)) >= WAITING_MAX:
        raise RigError(
            "rig.lease_queue", "{count} wait for {line}", count=WAITING_MAX, line=folder.stem
        )
    ticket = folder / f"{arrival_ns():020d}-{os.getpid()}"
    unseen = folder / f".{ticket.name}"
    descriptor = os.open(unseen, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    # Seen only once it is locked: a ticket without a lock is a dead one's.
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    unseen.rename(ticket)
    try:
        yield lambda: not any(_is_waiting(other) for other in _tickets(folder) if other < ticket)
    finally:
        ticket.unlink(missing_ok=True)
        os.close(descriptor)


def _tickets(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _is_waiting(ticket: Path) -> bool:
    try:
        descriptor = os.open(ticket, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        if not _try(descriptor, fcntl.LOCK_SH):
            return True
        with contextlib.suppress(OSError):  # its owner died in line; another's file is not ours
            ticket.unlink()
        return False
    finally:
        os.close(descriptor)


def _try(descriptor: int, how: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _owner_in(descriptor: int) -> Owner | None:
    with contextlib.suppress(ValueError, TypeError):
        return Owner(**json.loads(os.pread(descriptor, 4096, 0)))
    return None  # it has the lock and has not written its name yet


def _folder() -> Path:
    named = os.environ.get(LEASES)
    folder = Path(named) if named else Path(tempfile.gettempdir()) / "gridrig-leases"
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o1777)  # as /tmp: everybody may add, nobody may take another's away
    return folder
