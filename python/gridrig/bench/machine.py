"""The machine that a benchmark runs on: its processor, its one core, and where it writes."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path

# What our kernels and those of peers choose their code by; other flags change no figure.
FEATURES = (
    "sse4_2",
    "avx",
    "avx2",
    "bmi1",
    "bmi2",
    "adx",
    "avx512f",
    "avx512ifma",
    "sha_ni",
    "vaes",
)
CPU_INFO = Path("/proc/cpuinfo")
MOUNTS = Path("/proc/self/mountinfo")
IN_MEMORY = ("tmpfs", "ramfs")


@dataclass(frozen=True)
class Machine:
    """Where a benchmark runs.

    Parameters
    ----------
    cpu : str
        Model of the processor.
    features : tuple of str
        Those of `FEATURES` it has.
    cores : int
        How many cores the process could use before it was pinned.
    core : int or None
        The core it is pinned to; None where the system cannot pin.
    """

    cpu: str
    features: tuple[str, ...]
    cores: int
    core: int | None

    def text(self) -> str:
        """Return the machine as one line."""
        where = "not pinned to a core" if self.core is None else f"pinned to core {self.core}"
        return f"{self.cpu}, {self.cores} cores, {where}; {' '.join(self.features)}"


def pinned_machine() -> Machine:
    """Pin this process to the last core it may use and describe the machine.

    The last, because core 0 is where systems tend to handle interrupts.
    """
    facts = _cpu_info()
    core = None
    cores = os.cpu_count() or 1
    if hasattr(os, "sched_setaffinity"):
        allowed = os.sched_getaffinity(0)
        cores, core = len(allowed), max(allowed)
        os.sched_setaffinity(0, {core})
    flags = facts.get("flags", facts.get("Features", "")).split()
    return Machine(
        cpu=facts.get("model name") or platform.processor() or platform.machine(),
        features=tuple(name for name in FEATURES if name in flags),
        cores=cores,
        core=core,
    )


def file_system(folder: Path) -> str:
    """Return the kind of file system that a folder is on, "ext4"; empty where it is not told."""
    if not MOUNTS.exists():
        return ""
    device = folder.stat().st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    for line in MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines():
        mount, _, source = line.partition(" - ")
        if mount.split()[2] == wanted:
            return source.split()[0]
    return ""


def _cpu_info() -> dict[str, str]:
    """Return what the kernel says of the first core; empty where it says nothing."""
    if not CPU_INFO.exists():
        return {}
    first = CPU_INFO.read_text(encoding="utf-8").split("\n\n")[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}
