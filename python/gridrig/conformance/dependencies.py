"""What the results of an examination depend on, and which must be had again after a change.

Written as `dependencies.json` into the evidence. A case is run again if it is new, has changed, did
not pass, or ran code that has changed; every case is run again if the device, its firmware, the
rig's tables of it, the testbed, Python or a library has changed. Each reason names what changed.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points, packages_distributions, version
from pathlib import Path
from platform import python_version
from typing import Any

from gridrig.campaign.measurements import Outcome
from gridrig.conformance.case import Case, CaseResult
from gridrig.conformance.code_blocks import (
    OURS,
    REST,
    digest,
    digests,
    files_of,
    package_folder,
    relative,
    whole_digest,
)
from gridrig.conformance.subject import Subject
from gridrig.errors import CampaignError
from gridrig.rig.registry import DRIVERS, EMULATORS

ASKED_ALWAYS = "identity"
# The referee's own code is no code of a driver; a change of it is a change of the testbed.
REFEREE = f"{OURS}/conformance/"

TESTBED = ("conformance", "devices/emulators", "devices/wire", "clock", "metering", "rig")


@dataclass(frozen=True)
class DriverPackage:
    """Where a driver comes from: name and version of its distribution, its top-level package."""

    name: str
    version: str
    package: str

    @property
    def folders(self) -> dict[str, Path]:
        """Folders of the code a driver runs: its own and gridrig's."""
        return {name: package_folder(name) for name in dict.fromkeys((self.package, OURS))}

    @property
    def digest(self) -> str:
        """SHA-256 over every file of its package."""
        folder = package_folder(self.package)
        return whole_digest(files_of(folder), folder)

    @property
    def data_digest(self) -> str:
        """SHA-256 over what of its package is not Python, which counts for every case."""
        folder = package_folder(self.package)
        return whole_digest([f for f in files_of(folder) if f.suffix != ".py"], folder)


def driver_package(driver: str) -> DriverPackage:
    """Return the package that offers a driver; nothing of it is run."""
    return _package(DRIVERS, driver)


def _package(group: str, name: str) -> DriverPackage:
    for point in entry_points(group=group, name=name):
        dist = point.dist
        known = ("?", "?") if dist is None else (dist.name, dist.version)
        return DriverPackage(*known, point.value.partition(":")[0].split(".")[0])
    raise CampaignError("conformance.no_driver", "nobody registered a driver {name!r}", name=name)


def testbed_digest(subject: Subject) -> str:
    """Return the digest of the referee and of the package that the emulator is from."""
    assert subject.device.emulation is not None
    ours = package_folder(OURS)
    files = [file for room in TESTBED for file in files_of(ours / room)]
    files += sorted(ours.glob("_core*.so"))
    # Cases have digests of their own, so that a change of one concerns that one only.
    referee = [path for path in files if not path.name.startswith("cases_")]
    face = _package(EMULATORS, subject.device.emulation.emulator).package
    if face != OURS:
        folder = package_folder(face)
        return digest(
            (whole_digest(referee, ours) + whole_digest(files_of(folder), folder)).encode()
        )
    return whole_digest(referee, ours)


def rig_tables(subject: Subject) -> dict[str, Any]:
    """Return what the rig file says of the device and of its pack, and the nominal."""
    table = tomllib.loads(subject.rig.text.decode())
    names = [subject.device.name] + ([] if subject.pack is None else [subject.pack.name])
    devices = {entry["name"]: entry for entry in table["device"] if entry["name"] in names}
    return {"nominal": table["rig"].get("nominal"), **devices}


def current_blocks(package: DriverPackage, files: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return the digests of the blocks of files as they are on disk; none of one that is gone."""
    found = {}
    for file in files:
        name, _, rest = file.partition("/")
        folder = package.folders.get(name.removesuffix(".py"))
        path = None if folder is None else folder / rest if rest else folder
        if path is not None and path.is_file():
            found[file] = digests(path.read_text(encoding="utf-8"))
    return found


def dependencies(
    subject: Subject, package: DriverPackage, results: Iterable[CaseResult]
) -> dict[str, Any]:
    """Return what results depend on, for `dependencies.json`."""
    cases = {result.case.id: _of_case(package, result) for result in results}
    files = sorted({file for entry in cases.values() for file in entry["ran"]})
    packages = {name for result in results for name in result.ran.get("packages", ())}
    identity = next((r.identity for r in results if r.case.id == ASKED_ALWAYS), {})
    return {
        "cases": cases,
        "blocks": current_blocks(package, files),
        "data": package.data_digest,
        "versions": versions_of(packages, package),
        "rig": rig_tables(subject),
        "identity": identity,
        "testbed": testbed_digest(subject),
    }


def _of_case(package: DriverPackage, result: CaseResult) -> dict[str, Any]:
    ran = {}
    for file, blocks in result.ran.get("blocks", {}).items():
        name = relative(file, package.folders)
        if name is not None and not name.startswith(REFEREE):
            ran[name] = blocks
    case = result.case
    return {
        "version": case.version,
        "digest": case.digest,
        "outcome": None if result.outcome is None else str(result.outcome),
        "ran": ran,
    }


def versions_of(packages: Iterable[str], package: DriverPackage) -> dict[str, str]:
    """Return the versions of Python and of the distributions of packages, but of the driver's."""
    homes = packages_distributions()
    found = {dist for name in packages for dist in homes.get(name, ())} - {OURS, package.name}
    return {"python": python_version(), **{name: version(name) for name in sorted(found)}}


def reason_for_all(
    was: Mapping[str, Any], subject: Subject, package: DriverPackage, asked: CaseResult
) -> str:
    """Return why every case is run again, empty if only some are.

    Parameters
    ----------
    was : dict
        `dependencies.json` of the certificate before.
    subject, package
        As they are now.
    asked : CaseResult
        Of the case `identity`, which is run every time.
    """
    now = {
        "device": asked.identity,
        "library": versions_of(asked.ran.get("packages", ()), package),
        "rig": rig_tables(subject),
        "testbed": {"digest": testbed_digest(subject)},
        "package": {"data": package.data_digest},
    }
    before = {
        "device": was["identity"],
        "library": {k: v for k, v in was["versions"].items() if k in now["library"]},
        "rig": was["rig"],
        "testbed": {"digest": was["testbed"]},
        "package": {"data": was["data"]},
    }
    for what, said in now.items():
        if change := _difference(before[what], said):
            return f"{what}: {change}"
    return ""


def reason_for(was: Mapping[str, Any], blocks: Mapping[str, Mapping[str, str]], case: Case) -> str:
    """Return why one case is run again, empty if its result still stands.

    Parameters
    ----------
    was : dict
        `dependencies.json` of the certificate before.
    blocks : dict
        The digests of its files as they are now.
    case : Case
        As it is now.
    """
    if case.id == ASKED_ALWAYS:
        return "who the device is, is asked every time"
    entry = was["cases"].get(case.id)
    if entry is None:
        return "catalogue: a new case"
    if entry["version"] != case.version or entry["digest"] != case.digest:
        return f"catalogue: version {entry['version']}, now {case.version}, or its limits"
    if entry["outcome"] not in (str(Outcome.PASS), None):
        return f"result: {entry['outcome']} before"
    if entry["outcome"] is None and not entry["ran"]:
        return "result: did not apply before"
    for file, ran in entry["ran"].items():
        now = blocks.get(file)
        if now is None:
            return f"driver: {file} is gone"
        for block in ran:
            known = block if block in was["blocks"][file] else REST
            if was["blocks"][file][known] != now.get(known):
                return f"driver: {known} of {file} changed"
    return ""


def _difference(was: Any, now: Any, at: str = "") -> str:
    if isinstance(was, dict) and isinstance(now, dict):
        for key in sorted(was.keys() | now.keys()):
            place = f"{at}.{key}" if at else str(key)
            if text := _difference(was.get(key), now.get(key), place):
                return text
        return ""
    return "" if was == now else f"{at} was {was}, is {now}"
