"""Peers: packages that are measured beside ours when they are installed, and named when not."""

from importlib import import_module
from types import ModuleType

from gridrig.bench.rows import Measured, MissingPeer


def peer(
    package: str, module: str, measured: Measured, *, requirement: str = "gridrig[bench]"
) -> ModuleType | None:
    """Return a peer's module, or None after noting that it cannot be imported and why.

    Parameters
    ----------
    package, module : str
        What it is called, and the module to import.
    measured : Measured
        Where a missing peer is noted, once.
    requirement : str
        What to ask pip for.
    """
    try:
        return import_module(module)
    except ImportError as cause:
        missing = MissingPeer(package, f"pip install '{requirement}'", str(cause))
        if missing not in measured.missing:
            measured.missing.append(missing)
        return None
