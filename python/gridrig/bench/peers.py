"""Peers: packages that are measured beside ours when they are installed, and named when not."""

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from gridrig.bench.rows import Measured, MissingPeer


def peer(package: str, module: str, measured: Measured, *, extra: bool = True) -> ModuleType | None:
    """Return a peer's module, or None after noting that it is missing.

    Parameters
    ----------
    package, module : str
        Its name to pip, and the module to import.
    measured : Measured
        Where a missing peer is noted.
    extra : bool
        Whether gridrig's extra `bench` brings it.
    """
    if find_spec(module.partition(".")[0]) is None:
        what = "'gridrig[bench]'" if extra else package
        missing = MissingPeer(package, f"pip install {what}")
        if missing not in measured.missing:
            measured.missing.append(missing)
        return None
    return import_module(module)
