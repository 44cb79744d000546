"""A page in headless Chromium, driven as a person would: by address, keys and what can be read."""

import contextlib
import itertools
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

WITHIN_S = 60.0


class Page:
    """One tab, by the browser's own debugging protocol."""

    def __init__(self, wire: ClientConnection, said_to: Path) -> None:
        self._wire, self._said_to = wire, said_to
        self._numbers = itertools.count(1)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Ask the browser and return its answer; what it tells on its own is passed over."""
        number = next(self._numbers)
        try:
            self._wire.send(json.dumps({"id": number, "method": method, "params": parameters}))
            while True:
                answer = json.loads(self._wire.recv(WITHIN_S))
                if answer.get("id") == number:
                    assert "error" not in answer, answer
                    result: dict[str, Any] = answer["result"]
                    return result
        except ConnectionClosed as closed:
            raise AssertionError(f"chromium is gone: {_end_of(self._said_to)}") from closed

    def open(self, address: str) -> None:
        """Go to an address."""
        self.call("Page.enable")
        self.call("Page.navigate", url=address)

    def value(self, expression: str) -> Any:
        """Return what an expression gives in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait_for(self, expression: str) -> Any:
        """Wait until an expression gives something that is true, and return it."""
        until = time.monotonic() + WITHIN_S
        while time.monotonic() < until:
            found = self.value(expression)
            if found:
                return found
            time.sleep(0.05)
        raise AssertionError(f"not within {WITHIN_S} s: {expression}")

    def press(self, key: str) -> None:
        """Press a key."""
        code = {"Enter": 13, "Tab": 9, " ": 32}.get(key, 0)
        text = {"Enter": "\r", " ": " "}.get(key, "")
        for kind in ("keyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode=code,
                text=text if kind == "keyDown" else "",
            )

    def drag(self, selector: str, from_share: float, to_share: float) -> None:
        """Draw the mouse over an element, from one share of its width to another."""
        self.value(f"document.querySelector({selector!r}).scrollIntoView({{block: 'center'}})")
        place = f"document.querySelector({selector!r}).getBoundingClientRect().toJSON()"
        box = self.value(place)
        middle = (from_share + to_share) / 2
        for kind, share in (
            ("mousePressed", from_share),
            ("mouseMoved", middle),
            ("mouseMoved", to_share),
            ("mouseReleased", to_share),
        ):
            self.call(
                "Input.dispatchMouseEvent",
                type=kind,
                x=box["x"] + share * box["width"],
                y=box["y"] + box["height"] / 2,
                button="left",
                clickCount=1,
            )

    def tab_to(self, selector: str, *, most: int = 40) -> None:
        """Press Tab until an element has the focus."""
        for _ in range(most):
            self.press("Tab")
            if self.value(f"document.activeElement.matches({selector!r})"):
                return
        raise AssertionError(f"{selector} is not reached by Tab")

    def accessible(self) -> list[tuple[str, str]]:
        """Return role and name of everything that a screen reader is told of."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        return [
            (node["role"]["value"], node.get("name", {}).get("value", ""))
            for node in nodes
            if not node.get("ignored")
        ]


@contextlib.contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """Start Chromium with a profile of its own and give its one tab."""
    program = shutil.which("chromium")
    if program is None:
        pytest.fail("no chromium: tests/debian-packages installs it")
    said_to = folder / "chromium.log"
    with said_to.open("wb") as log:
        process = subprocess.Popen(
            [
                program,
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                # A page that was kept is swapped for the one that is shown, and the wire with it.
                "--disable-features=BackForwardCache",
                "--remote-debugging-port=0",
                "--window-size=1280,1600",
                f"--user-data-dir={folder / 'profile'}",
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
    try:
        address = _listens_on(process, said_to)
        port = address.split("127.0.0.1:")[1].split("/")[0]
        with connect(address, max_size=None) as wire:
            wire.send(json.dumps({"id": 0, "method": "Target.getTargets"}))
            targets = json.loads(wire.recv(WITHIN_S))["result"]["targetInfos"]
        (tab,) = [t["targetId"] for t in targets if t["type"] == "page"]
        with connect(f"ws://127.0.0.1:{port}/devtools/page/{tab}", max_size=None) as wire:
            yield Page(wire, said_to)
    finally:
        process.kill()
        process.wait()


def _listens_on(process: subprocess.Popen[bytes], said_to: Path) -> str:
    """Return where a browser that was just started is debugged."""
    until = time.monotonic() + WITHIN_S
    while time.monotonic() < until and process.poll() is None:
        for line in said_to.read_text(errors="replace").splitlines(keepends=True):
            if "DevTools listening on" in line and line.endswith("\n"):
                return line.split()[-1]
        time.sleep(0.05)
    raise AssertionError(f"chromium does not listen: {_end_of(said_to)}")


def _end_of(said_to: Path) -> str:
    return said_to.read_text(errors="replace")[-2000:]
