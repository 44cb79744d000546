"""The rigs, scenarios and procedures that come with gridrig, and how a name finds them."""

from pathlib import Path

import gridrig
from gridrig.errors import CampaignError

ROOT = Path(gridrig.__file__).parent
RIGS = ROOT / "rigs"
SCENARIOS = RIGS / "scenarios"
PROCEDURES = ROOT / "hil"


def find(name: str, folder: Path) -> Path:
    """Return the file a user means: a path if there is one, else a built-in's name.

    Raises
    ------
    CampaignError
        If there is neither; the message lists the built-in names.
    """
    path = Path(name)
    if path.exists():
        return path
    built_in = folder / f"{name}.toml"
    if built_in.exists():
        return built_in
    raise CampaignError(
        "campaign.no_such_file",
        "there is no file {name!r}, and nothing built in has that name; built in: {known}",
        name=name,
        known=", ".join(sorted(p.stem for p in folder.glob("*.toml"))),
    )


def next_run_directory(name: str) -> Path:
    """Return the first free runs/NAME-NUMBER."""
    number = 1
    while (path := Path("runs") / f"{name}-{number}").exists():
        number += 1
    return path
