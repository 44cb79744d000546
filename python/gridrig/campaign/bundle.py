"""The bundle of a run that did not pass: one small file that makes the run again and compares.

    rig.toml, scenario.toml, run.json      the recipe
    verdicts.json                          what the run came to
    expected.json                          SHA-256 of each file that a rerun must give again
    feeder/...                             what the feeder was read from, by its place at the rig

Invariant: the same run gives the same bundle, byte for byte. A run directory serves as well, for
it holds the same. The names in a rig lead on from `feeder/` then: a file that lay outside of the
rig's folder is in the bundle, and not found.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from gridrig.campaign import records
from gridrig.campaign.formats import json_bytes
from gridrig.campaign.manifest import verify
from gridrig.campaign.recipe import Recipe
from gridrig.campaign.run_verdicts import RunVerdicts
from gridrig.errors import CampaignError
from gridrig.rig.description import Override
from gridrig.rig.toml_file import parse_toml

EXPECTED = "expected.json"
KEPT = (records.RIG, records.SCENARIO, records.RUN, records.VERDICTS)
FILE_BYTES_MAX = 16_000_000
FILES_MAX = 1_000
NOT_COMPARED = {*records.BY_NATURE_DIFFERENT, records.BUNDLE, records.TIMING}
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest a ZIP can say


@dataclass(frozen=True)
class Bundle:
    """A run to be made again, and what it must come to.

    Parameters
    ----------
    path : Path
        Where it was read from.
    recipe : Recipe
        How to make it.
    clock : str
        "virtual": the same bytes are due; "wall": the same verdicts.
    verdicts : RunVerdicts
        What the run came to.
    expected : mapping of str to str
        SHA-256 by name of each file. [hex]
    versions : mapping of str to str
        Of the libraries that took part.
    """

    path: Path
    recipe: Recipe
    clock: str
    verdicts: RunVerdicts
    expected: Mapping[str, str]
    versions: Mapping[str, str]


def write_bundle(run: Path) -> None:
    """Write the bundle of a run into its directory, before that is signed."""
    packed = io.BytesIO()
    content = {name: (run / name).read_bytes() for name in KEPT}
    content[EXPECTED] = json_bytes(digests(run))
    for path in sorted((run / records.FEEDER).rglob("*")):
        if path.is_file():
            content[path.relative_to(run).as_posix()] = path.read_bytes()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
    (run / records.BUNDLE).write_bytes(packed.getvalue())


def digests(run: Path) -> dict[str, str]:
    """Return the SHA-256 of each file that two runs of one recipe share, by name."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(run.iterdir())
        if path.is_file() and path.name not in NOT_COMPARED
    }


def read_bundle(path: Path, folder: Path) -> Bundle:
    """Read a bundle, or a run directory as one.

    Parameters
    ----------
    path : Path
    folder : Path
        Where the files of a feeder are laid out of a bundle; the run needs them there.

    Raises
    ------
    CampaignError
        `campaign.bundle` if it is neither, or the directory is not as it was signed.
    """
    if path.is_dir():
        return _of_directory(path)
    try:
        with zipfile.ZipFile(path) as archive:
            content = {name: _member(archive, name) for name in (*KEPT, EXPECTED)}
            rig_at = path
            if _lay_out(archive, folder):
                rig_at = folder / records.FEEDER
        return _bundle(path, rig_at, content, json.loads(content[EXPECTED]))
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise CampaignError(
            "campaign.bundle",
            "{path} is no bundle and no run directory: {why}",
            path=path,
            why=error,
        ) from None


def _of_directory(run: Path) -> Bundle:
    found = verify(run)
    if not found.intact:
        raise CampaignError(
            "campaign.bundle", "{path}: {lines}", path=run, lines="; ".join(found.lines())
        )
    try:
        content = {name: (run / name).read_bytes() for name in KEPT}
        rig_at = run / records.FEEDER if (run / records.FEEDER).is_dir() else run
        return _bundle(run, rig_at, content, digests(run))
    except (OSError, KeyError, TypeError) as error:
        raise CampaignError(
            "campaign.bundle", "{path} is no run directory: {why}", path=run, why=error
        ) from None


def _lay_out(archive: zipfile.ZipFile, folder: Path) -> int:
    """Write the files of a feeder below a folder and return how many there are."""
    names = [name for name in archive.namelist() if name.startswith(f"{records.FEEDER}/")]
    if len(names) > FILES_MAX:
        raise ValueError(f"{len(names)} files of a feeder, expected at most {FILES_MAX}")
    for name in names:
        if ".." in PurePosixPath(name).parts:
            raise ValueError(f"{name} leads out of the bundle")
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(_member(archive, name))
    return len(names)


def _bundle(
    path: Path, rig_at: Path, content: Mapping[str, bytes], expected: dict[str, str]
) -> Bundle:
    run: dict[str, Any] = json.loads(content[records.RUN])
    record = records.RunRecord.from_json(run)
    recipe = Recipe(
        parse_toml(content[records.RIG], str(rig_at / records.RIG)),
        parse_toml(content[records.SCENARIO], str(path / records.SCENARIO)),
        seed=record.seed,
        engine=record.feeder["engine"],
        from_s=record.slice.get("from_s"),
        for_s=record.slice.get("for_s"),
        tick_s=record.slice.get("tick_s"),
        capture=records.CAPTURE in expected,
        overrides=tuple(Override(name, keys) for name, keys in record.overrides.items()),
    )
    verdicts = RunVerdicts.from_json(json.loads(content[records.VERDICTS]))
    return Bundle(path, recipe, record.clock, verdicts, expected, record.versions)


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as file:
        data = file.read(FILE_BYTES_MAX + 1)
    if len(data) > FILE_BYTES_MAX:
        raise ValueError(f"{name} is larger than {FILE_BYTES_MAX} bytes")
    return data
