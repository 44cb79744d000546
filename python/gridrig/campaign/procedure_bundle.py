"""The bundle of a procedure that did not pass: one small file that executes it again and compares.

    rig.toml, procedure.py, procedure.json     what was executed, on what, how often
    verdicts.json                              what it came to

`gridrig rerun` runs the code inside, as `gridrig test` runs the file that it was. Limits: one
source file; modules of its own that it imports are not inside, nor are files that the rig names.
"""

import inspect
import io
import json
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from gridrig.campaign.formats import json_bytes
from gridrig.campaign.procedure_summary import value_text
from gridrig.campaign.procedures import Procedure, execute
from gridrig.campaign.run_verdicts import RunVerdicts
from gridrig.campaign.run_written import versions
from gridrig.errors import CampaignError
from gridrig.rig.description import Rig, describe
from gridrig.rig.toml_file import parse_toml

RIG, SOURCE, FACTS, VERDICTS = "rig.toml", "procedure.py", "procedure.json", "verdicts.json"
MEMBER_BYTES_MAX = 16_000_000
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest a ZIP can say


@dataclass(frozen=True)
class Again:
    """A procedure executed again: what it was, what it is now, and what differs, in words."""

    was: RunVerdicts
    now: RunVerdicts
    differ: tuple[str, ...]


def write_procedure_bundle(
    folder: Path, tested: Procedure, rig: Rig, verdicts: RunVerdicts, *, repetitions: int
) -> Path:
    """Write the bundle of an execution and return where it is; one of before is replaced."""
    source = inspect.getsourcefile(tested.body)
    assert source is not None, "a procedure is a function in a file"
    facts = {"name": tested.name, "repetitions": repetitions, "versions": versions()}
    content = {
        RIG: rig.text,
        SOURCE: Path(source).read_bytes(),
        FACTS: json_bytes(facts),
        VERDICTS: json_bytes(verdicts.to_json()),
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{tested.name}-{rig.name}.zip"
    path.write_bytes(packed.getvalue())
    return path


def is_procedure_bundle(path: Path) -> bool:
    """Return whether a file is the bundle of a procedure, and not that of a run."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return FACTS in archive.namelist()


def execute_again(path: Path) -> Again:
    """Execute a procedure from its bundle and compare.

    On the virtual clock everything that was judged has to be the same; on a wall clock outcomes.

    Raises
    ------
    CampaignError
        `campaign.bundle` if something in it is missing or wrong.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            content = {name: _member(archive, name) for name in (RIG, SOURCE, FACTS, VERDICTS)}
        facts = json.loads(content[FACTS])
        was = RunVerdicts.from_json(json.loads(content[VERDICTS]))
        tested = _procedure(content[SOURCE], facts["name"])
        rig = describe(parse_toml(content[RIG], str(path / RIG)))
        repetitions = int(facts["repetitions"])
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise CampaignError(
            "campaign.bundle", "{path} is no bundle of a procedure: {why}", path=path, why=error
        ) from None
    now = execute(tested, rig, repetitions=repetitions).verdicts
    return Again(was, now, tuple(_differences(was, now, facts, exact=rig.clock == "virtual")))


def _differences(was: RunVerdicts, now: RunVerdicts, facts: Any, *, exact: bool) -> list[str]:
    found = []
    if was.outcome != now.outcome:
        found.append(f"outcome: {was.outcome}, now {now.outcome}")
    for then, again in zip(was.verdicts, now.verdicts, strict=True):
        if exact and (then.value, then.uncertainty) != (again.value, again.uncertainty):
            found.append(f"{then.criterion.name}: {value_text(then)}, now {value_text(again)}")
        elif then.outcome != again.outcome:
            found.append(f"{then.criterion.name}: {then.outcome}, now {again.outcome}")
    if found:
        here = versions()
        found += [
            f"version of {name}: {version}, here {here.get(name)}"
            for name, version in facts["versions"].items()
            if here.get(name) != version
        ]
    return found


def _procedure(source: bytes, name: str) -> Procedure:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / SOURCE
        path.write_bytes(source)
        spec = spec_from_file_location("gridrig_bundled_procedure", path)
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        sys.modules[spec.name] = module  # dataclasses look their module up
        try:
            spec.loader.exec_module(module)
        finally:
            del sys.modules[spec.name]
    found = getattr(getattr(module, name, None), "procedure", None)
    if not isinstance(found, Procedure):
        raise ValueError(f"{SOURCE} declares no procedure {name}")
    return found


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as file:
        data = file.read(MEMBER_BYTES_MAX + 1)
    if len(data) > MEMBER_BYTES_MAX:
        raise ValueError(f"{name} is larger than {MEMBER_BYTES_MAX} bytes")
    return data
