"""The tutorials as a new user types them: files written out, commands run, output as shown.

A block marked `console` holds commands after `$`; what follows a command has to be in what that
prints, and its exit code is 0 or what a comment behind it says. A block marked with a language and
a file name is that file. `gridrig` there is this checkout; pip installs beside the environment.
"""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
TUTORIALS = CHECKOUT / "docs" / "tutorials"
EXIT = re.compile(r"# exit (\d)$")
BLOCK = re.compile(r"^```(\w+)(?: ([^\n]+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WITHIN_S = 180


def blocks(page: Path) -> list[tuple[str, str, str]]:
    return [(m[1], m[2] or "", m[3]) for m in BLOCK.finditer(page.read_text())]


def commands(block: str) -> list[tuple[str, list[str]]]:
    """Return each command of a console block with the lines shown after it."""
    found: list[tuple[str, list[str]]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line.strip():
            found[-1][1].append(line.strip())
    return found


def squeezed(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.slow
@pytest.mark.parametrize("page", ["lab", "ci", "vendor"])
def test_a_tutorial_does_what_it_says_from_its_first_command_to_its_last(
    page: str, tmp_path: Path
) -> None:
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "COLUMNS": "200",
        "PYTHONPATH": str(tmp_path / "site"),
        "PIP_TARGET": str(tmp_path / "site"),
        "PIP_UPGRADE": "1",
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip's own way to say that it is off
    }
    (tmp_path / "gridrig").symlink_to(CHECKOUT)
    served: list[subprocess.Popen[bytes]] = []
    ran = 0
    try:
        for language, name, body in blocks(TUTORIALS / f"{page}.md"):
            if name:
                (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / name).write_text(body)
            if language != "console":
                continue
            for command, shown in commands(body):
                ran += 1
                if command.endswith(" &"):
                    served.append(begin(command.removesuffix(" &"), tmp_path, environment))
                    continue
                done = subprocess.run(
                    ["bash", "-c", command],
                    cwd=tmp_path,
                    env=environment,
                    capture_output=True,
                    text=True,
                    timeout=WITHIN_S,
                    check=False,
                )
                said = squeezed(done.stdout + done.stderr)
                code = int(told[1]) if (told := EXIT.search(command)) else 0
                assert done.returncode == code, f"{command}\n{done.stdout}{done.stderr}"
                missing = [line for line in shown if squeezed(line) not in said]
                assert missing == [], f"{command}\n{done.stdout}{done.stderr}"
    finally:
        for process in served:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert ran >= 3


def begin(command: str, folder: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a command that goes on, and wait until it has written the rig it was asked for."""
    process = subprocess.Popen(
        ["bash", "-c", f"exec {command}"],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    (written,) = re.findall(r"--write-rig (\S+)", command)
    until = time.monotonic() + WITHIN_S
    while not (folder / written).exists():
        assert process.poll() is None, command
        assert time.monotonic() < until, command
        time.sleep(0.1)
    return process
