"""The signed manifest of a run directory: written last, and checked offline by anyone.

Invariants
----------
* `manifest.json` lists every other file with length and SHA-256 and has exactly one way to be
  written; `manifest.sig` is an Ed25519 signature over its bytes, 128 lower-case hex digits and
  nothing else. So there is no byte in the directory that can change unnoticed.
* The signature comes last: without it the run did not finish.
* The key in the manifest proves that nothing changed since signing, not who signed: anyone can
  sign again with a key of their own. Who signed is known only against a trusted key.

Known gaps: empty folders and file modes are not covered. Cost: one read of every file.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gridrig.campaign.records import MANIFEST, SIGNATURE
from gridrig.campaign.signing import key_id
from gridrig.errors import CampaignError

VERSION = 1
MANIFEST_BYTES_MAX = 16_000_000
_UNLISTED = (MANIFEST, SIGNATURE)

ProblemKind = Literal["changed", "missing", "added", "unreadable", "unfinished", "signature"]


@dataclass(frozen=True)
class Problem:
    """One thing that is not as it was signed; `file` is relative to the run directory."""

    file: str
    kind: ProblemKind
    text: str


@dataclass(frozen=True)
class Verification:
    """What a run directory was found to be.

    Parameters
    ----------
    path : Path
        The directory.
    problems : tuple of Problem
        Every file changed, missing or added, and what is wrong with the signature.
    signer : str or None
        Id of the key that signed; None if no signature could be checked or it is wrong.
    trusted : bool or None
        Whether that key is one of the trusted; None if the reader named none.
    files : int
        How many files the manifest lists.
    """

    path: Path
    problems: tuple[Problem, ...]
    signer: str | None
    trusted: bool | None
    files: int

    @property
    def intact(self) -> bool:
        """Whether every byte is as it was signed, whoever signed."""
        return not self.problems

    @property
    def exit_code(self) -> int:
        """0 if intact and not signed by a stranger to the trusted keys, else 1."""
        return 0 if self.intact and self.trusted is not False else 1

    @property
    def summary(self) -> str:
        """One line for people."""
        if any(problem.kind == "unfinished" for problem in self.problems):
            return "not verified: run did not finish"
        if not self.intact:
            return f"changed: {len(self.problems)} problem(s)"
        if self.trusted is None:
            return f"intact, signer unknown (key {self.signer}, no trusted key given)"
        if not self.trusted:
            return f"intact, but signed by {self.signer}, which is not a trusted key"
        return f"intact, signed by {self.signer}"

    def lines(self) -> list[str]:
        """Return the summary and one line a problem."""
        return [self.summary, *(f"  {item.file}: {item.text}" for item in self.problems)]

    def to_json(self) -> dict[str, Any]:
        """Return the result for a program."""
        return {
            "path": str(self.path),
            "summary": self.summary,
            "intact": self.intact,
            "signer": self.signer,
            "trusted": self.trusted,
            "files": self.files,
            "problems": [vars(problem) for problem in self.problems],
            "exit_code": self.exit_code,
        }


def write_manifest(directory: Path, key: Ed25519PrivateKey) -> str:
    """Sign everything in the directory and return the key's id.

    Raises
    ------
    CampaignError
        If something in it is no regular file, or the directory is already signed.
    """
    if is_finished(directory):
        raise CampaignError("campaign.run_finished", "{path} is already signed", path=directory)
    files: dict[str, dict[str, Any]] = {}
    for name, path in _walk(directory):
        if path.is_symlink() or not path.is_file():
            raise CampaignError(
                "campaign.evidence_not_a_file",
                "{file} is not a regular file, so it cannot be signed",
                file=name,
            )
        files[name] = _describe(path)
    public = key.public_key()
    content = {"version": VERSION, "files": files, "public_key": public.public_bytes_raw().hex()}
    manifest = _canonical(content)
    _replace(directory / MANIFEST, manifest)
    _replace(directory / SIGNATURE, key.sign(manifest).hex().encode())
    return key_id(public)


def is_finished(directory: Path) -> bool:
    """Whether the run that wrote this directory came to its end."""
    return (directory / SIGNATURE).exists()


def verify(directory: Path, trust: Sequence[Ed25519PublicKey] | None = None) -> Verification:
    """Check a run directory against its signed manifest, reading nothing outside it.

    Parameters
    ----------
    directory : Path
        The run directory.
    trust : sequence of Ed25519PublicKey or None
        Keys of rigs the reader believes; None if it knows none.

    Returns
    -------
    Verification
        With every file that was changed, is missing or was added.

    Raises
    ------
    CampaignError
        If there is no such directory.
    """
    if not directory.is_dir():
        raise CampaignError("campaign.run_missing", "{path} is no directory", path=directory)
    problems: list[Problem] = []
    manifest = _read(directory / MANIFEST, problems)
    signature = _read(directory / SIGNATURE, problems)
    content = None if manifest is None else _parse(manifest, problems)
    public = (
        None
        if content is None
        else Ed25519PublicKey.from_public_bytes(bytes.fromhex(content["public_key"]))
    )
    signer = None
    if public is not None and manifest is not None and signature is not None:
        signer = _check_signature(public, manifest, signature, problems)
    files = {} if content is None else content["files"]
    if content is not None:
        problems.extend(_compare(directory, files))
    trusted = None if trust is None else signer is not None and public in trust
    return Verification(directory, tuple(problems), signer, trusted, len(files))


def _check_signature(
    public: Ed25519PublicKey, manifest: bytes, signature: bytes, problems: list[Problem]
) -> str | None:
    try:
        raw = bytes.fromhex(signature.decode("ascii"))
        well_formed = raw.hex().encode() == signature and len(raw) == 64
    except ValueError:
        well_formed = False
    if not well_formed:
        text = "is not 128 lower-case hex digits, so it was changed"
        problems.append(Problem(SIGNATURE, "signature", text))
        return None
    try:
        public.verify(raw, manifest)
    except InvalidSignature:
        text = f"signature is not right for {{}} and key {key_id(public)}: one of the two files"
        for name, other in ((MANIFEST, SIGNATURE), (SIGNATURE, MANIFEST)):
            said = text.format(f"this file and {other}") + " was changed"
            problems.append(Problem(name, "signature", said))
        return None
    return key_id(public)


def _compare(directory: Path, files: dict[str, Any]) -> Iterator[Problem]:
    found = dict(_walk(directory))
    for name in sorted(files.keys() | found.keys()):
        if name not in found:
            yield Problem(name, "missing", "is listed in the manifest but is not here")
        elif name not in files:
            yield Problem(name, "added", "is not listed in the manifest")
        elif found[name].is_symlink() or not found[name].is_file():
            yield Problem(name, "changed", "is no longer a regular file")
        else:
            try:
                now = _describe(found[name])
            except OSError as error:
                yield Problem(name, "unreadable", f"cannot be read: {error.strerror}")
                continue
            if now["bytes"] != files[name]["bytes"]:
                text = f"was changed: {now['bytes']} bytes, signed were {files[name]['bytes']}"
                yield Problem(name, "changed", text)
            elif now != files[name]:
                yield Problem(name, "changed", "was changed: its SHA-256 is another")


def _parse(manifest: bytes, problems: list[Problem]) -> dict[str, Any] | None:
    """Return the manifest's content if it has the one form that is ever written."""
    try:
        content = json.loads(manifest)
        entries = content["files"].values()
        well_formed = (
            _canonical(content) == manifest
            and content.keys() == {"version", "files", "public_key"}
            and content["version"] == VERSION
            and len(bytes.fromhex(content["public_key"])) == 32
            and all(entry.keys() == {"sha256", "bytes"} for entry in entries)
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        well_formed = False
    if well_formed:
        return dict(content)
    text = f"is not a manifest of version {VERSION} as gridrig writes it, so it was changed"
    problems.append(Problem(MANIFEST, "changed", text))
    return None


def _read(path: Path, problems: list[Problem]) -> bytes | None:
    if path.is_symlink() or not path.is_file():
        what = "manifest" if path.name == MANIFEST else "signature"
        text = f"no {what}: run did not finish, or the file was removed"
        problems.append(Problem(path.name, "unfinished", text))
        return None
    try:
        with path.open("rb") as file:
            return file.read(MANIFEST_BYTES_MAX)
    except OSError as error:
        problems.append(Problem(path.name, "unreadable", f"cannot be read: {error.strerror}"))
        return None


def _walk(directory: Path) -> Iterator[tuple[str, Path]]:
    """Yield every file and link below the directory but the manifest's own two, by name."""
    found = []
    for folder, subfolders, names in os.walk(directory):
        links = [name for name in subfolders if os.path.islink(os.path.join(folder, name))]
        for name in [*names, *links]:
            path = Path(folder, name)
            found.append((path.relative_to(directory).as_posix(), path))
    yield from sorted(item for item in found if item[0] not in _UNLISTED)


def _describe(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return {"sha256": digest.hexdigest(), "bytes": file.tell()}


def _canonical(content: Any) -> bytes:
    return (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()


def _replace(path: Path, content: bytes) -> None:
    """Write a file so that after a crash it is there whole or not at all."""
    draft = path.with_name(f".{path.name}.part")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
