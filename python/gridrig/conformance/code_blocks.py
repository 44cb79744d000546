"""Which code a case ran, function by function, and whether it is still the same.

A file is cut into blocks: each outermost function of a module or class is one, and all the rest of
the file is the block `<module>`, which holds the names and signatures of the functions but not
their bodies. A block's digest is over its syntax tree, so comments and layout do not count. A case
depends on the blocks it ran and on the `<module>` block of every file that was loaded; what is not
Python (an extension module, a table) counts whole, for every case.

Known gap: code made at run time by `exec` has no file and is not seen; its maker is.
"""

import ast
import hashlib
import sys
import threading
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

REST = "<module>"
DIGEST_HEX = 16
OURS = "gridrig"
SKIPPED = ("__pycache__",)


class Trace:
    """Notes each function of any package that runs; cheap, for a set forgets what it knows."""

    def __init__(self) -> None:
        self._ran: set[CodeType] = set()

    def start(self) -> None:
        """Note what runs from now on, in this and in later threads."""
        threading.setprofile(self._note)
        sys.setprofile(self._note)

    def blocks(self) -> dict[str, list[str]]:
        """Return, for each loaded file, the names of the blocks that ran; by path, sorted."""
        found: dict[str, set[str]] = {}
        for module in list(sys.modules.values()):
            file = getattr(module, "__file__", None)
            if file and file.endswith(".py"):
                found.setdefault(file, {REST})
        for code in tuple(self._ran):
            if code.co_filename in found:
                found[code.co_filename].add(code.co_qualname.split(".<locals>")[0])
        return {file: sorted(names) for file, names in sorted(found.items())}

    def _note(self, frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            self._ran.add(frame.f_code)


class _Bodies(ast.NodeTransformer):
    """Takes the outermost functions out of a tree and keeps them by name."""

    def __init__(self) -> None:
        self.found: dict[str, list[str]] = {}
        self._within: list[str] = []

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self._within.append(node.name)
        self.generic_visit(node)
        self._within.pop()
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._take(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._take(node)

    def _take(self, node: Any) -> ast.AST:
        name = ".".join((*self._within, node.name))
        # Several of one name (a property's setter, an overload) are one block.
        self.found.setdefault(name, []).append(ast.dump(ast.Module(node.body, [])))
        node.body = []
        return node  # type: ignore[no-any-return]


def digests(source: str) -> dict[str, str]:
    """Return the digest of each block of a file.

    >>> was, now = digests("def f():\\n    return 1"), digests("def f():  # why\\n    return 2")
    >>> was["f"] == now["f"], was["<module>"] == now["<module>"]
    (False, True)
    """
    bodies = _Bodies()
    rest = bodies.visit(ast.parse(source))
    blocks = {REST: ast.dump(rest)} | {name: "\n".join(d) for name, d in bodies.found.items()}
    return {name: digest(text.encode()) for name, text in sorted(blocks.items())}


def digest(content: bytes) -> str:
    """Return the beginning of a SHA-256, enough to tell one version from another."""
    return hashlib.sha256(content).hexdigest()[:DIGEST_HEX]


def package_folder(package: str) -> Path:
    """Return the folder, or the one file, of a top-level package; nothing of it is run."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(package)
    origin = Path(spec.origin)
    return origin.parent if spec.submodule_search_locations else origin


def relative(file: str, folders: dict[str, Path]) -> str | None:
    """Return a file's name below the folder of one of the packages; None if it is of no one."""
    path = Path(file)
    for package, folder in folders.items():
        if path == folder:
            return f"{package}.py"
        if path.is_relative_to(folder):
            return f"{package}/{path.relative_to(folder).as_posix()}"
    return None


def files_of(folder: Path) -> list[Path]:
    """Return the files of a package as it is installed, sorted."""
    if folder.is_file():
        return [folder]
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not any(part in SKIPPED for part in path.parts)
    )


def whole_digest(files: list[Path], base: Path) -> str:
    """Return the SHA-256 over the names and contents of files."""
    sums = hashlib.sha256()
    for path in files:
        name = path.name if base.is_file() else path.relative_to(base).as_posix()
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        sums.update(f"{content}  {name}\n".encode())
    return sums.hexdigest()
