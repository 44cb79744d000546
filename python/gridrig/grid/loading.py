"""A network by the name that a rig file gives it."""

from difflib import get_close_matches
from pathlib import Path
from typing import Any

from gridrig.errors import GridError
from gridrig.grid.network import Network

_PREFIX = "create_"


def load_network(name: str, *, folder: Path | None = None) -> Network:
    """Load a network by name.

    Parameters
    ----------
    name : str
        `simbench:<code>`; `pandapower:<name>`, a function of `pandapower.networks` with or without
        its `create_`, or `cigre_lv` for short; the path of a pandapower `.json` file or of an
        OpenDSS `.dss` file.
    folder : Path, optional
        Where a relative path starts; the rig file's folder.

    Returns
    -------
    Network

    Raises
    ------
    GridError
        `grid.network_unknown`, or the first thing in it that no engine here models.
    """
    from gridrig.grid.pandapower_net import describe

    if name.startswith("simbench:"):
        from gridrig.grid.simbench_grid import read_simbench_net

        code = name.removeprefix("simbench:")
        # Simbench marks its transformer types as tapable but leaves the changer type empty.
        return describe(read_simbench_net(code), name=name, profile_code=code, tap_changer="Ratio")
    if name == "cigre_lv":
        return describe(_pandapower_net("cigre_network_lv"), name=name)
    if name.startswith("pandapower:"):
        return describe(_pandapower_net(name.removeprefix("pandapower:")), name=name)
    path = (folder or Path()) / name
    if path.suffix.lower() not in (".json", ".dss") or not path.is_file():
        raise GridError(
            "grid.network_unknown",
            "no network {name!r}: expected simbench:<code>, pandapower:<name>, cigre_lv, or a "
            "pandapower .json or OpenDSS .dss file that exists, from {folder}",
            name=name,
            folder=str((folder or Path()).resolve()),
        )
    if path.suffix.lower() == ".dss":
        from gridrig.grid.dss_file import read_dss_file

        return read_dss_file(path, name=name)
    return describe(_json_net(path), name=name)


def _json_net(path: Path) -> Any:
    import pandapower

    try:
        net = pandapower.from_json(str(path))
    except (ValueError, TypeError, KeyError, AttributeError, UserWarning) as error:
        raise GridError(
            "grid.network_unreadable", "{file}: {reason}", file=str(path), reason=str(error)
        ) from error
    if not hasattr(net, "ext_grid"):
        raise GridError("grid.network_unreadable", "{file} holds no pandapower net", file=str(path))
    return net


def _pandapower_net(name: str) -> Any:
    import inspect

    from pandapower import networks

    here = networks.__name__
    known = {
        key.removeprefix(_PREFIX): value
        for key, value in vars(networks).items()
        if inspect.isfunction(value) and value.__module__.startswith(here) and key[0] != "_"
    }
    maker = known.get(name.removeprefix(_PREFIX))
    if maker is None:
        near = get_close_matches(name, known, n=1)
        raise GridError(
            "grid.network_unknown",
            "pandapower.networks has no {name!r}{hint}",
            name=name,
            hint=f" (did you mean {near[0]!r}?)" if near else "",
        )
    try:
        net = maker()
    except TypeError as error:
        raise GridError(
            "grid.network_unknown",
            "pandapower.networks.{name} does not make a network without arguments: {reason}; "
            "save its network as .json",
            name=maker.__name__,
            reason=str(error),
        ) from error
    if isinstance(net, tuple | list):
        net = net[0]
    return net
