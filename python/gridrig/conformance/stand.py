"""The stand a case stands on: a stated world, a device that shows it, and a driver beside.

Every call and everything that happens on the device goes into the record of the case, with the
time. A call that fails by name is an answer; a failure that is no `DriverError` is counted, and so
are crashes and calls without an end: they are results, never an end of the examination.
"""

import json
import math
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from gridrig.campaign.measurements import Measurement
from gridrig.clock import Clock, stream
from gridrig.conformance.case import FAILED, UNNAMED, Case, CaseOver, NotApplicable
from gridrig.conformance.exchange import packed
from gridrig.conformance.remote import CALL_S, Answer, Footprint, Remote
from gridrig.conformance.shape import misshapen
from gridrig.conformance.stated_world import StatedPack, StatedTerminal
from gridrig.conformance.subject import Subject
from gridrig.devices.capabilities import Identity
from gridrig.devices.emulators.fault import FaultValue
from gridrig.metering.ocmf_signing import OcmfSigner
from gridrig.rig.emulated import EmulatedDevices, MakeSigner
from gridrig.rig.issues import At, Issues

NOTES_MAX = 12
# What a wire may lack; the rest of a capability no driver may decline.
OPTIONAL = frozenset({"set_fets", "sync_clock", "sign"})


class Stand:
    """One case under way.

    Parameters
    ----------
    case : Case
        Which one.
    subject : Subject
        The device and its driver.
    clock : Clock
        The wall clock.
    record : Path
        Where what happened is written, one JSON object a line.
    log : binary file
        Takes what the driver prints.
    """

    def __init__(
        self, case: Case, subject: Subject, clock: Clock, record: Path, log: BinaryIO
    ) -> None:
        self.case = case
        self.subject = subject
        self.clock = clock
        self.draw = stream(0, f"conformance/{case.id}")
        self.terminal: StatedTerminal = subject.terminal()
        self.room = subject.stated_room() if subject.capability == "heat_pump" else None
        self.pack: StatedPack | None = None
        if subject.capability == "bms":
            self.pack = subject.stated_pack(subject.device)
        elif subject.pack is not None:
            self.pack = subject.stated_pack(subject.pack)
        self.driver = Remote(clock, log)
        self.driver_ended = False  # by the case itself
        self.about: dict[str, Any] = {}
        self.identity: dict[str, str] = {}
        self.notes: list[str] = []
        self.make_signer: MakeSigner = OcmfSigner.from_seed
        self.ran: dict[str, Any] = {"blocks": {}, "packages": []}
        self.events: list[tuple[str, dict[str, Any]]] = []
        self._record = record
        self._lines: list[str] = []
        self._values: dict[str, float] = {FAILED: 0, UNNAMED: 0}
        self._said: dict[str, str] = {}
        self._devices: EmulatedDevices | None = None

    # ------------------------------------------------------------ the device

    @property
    def emulator(self) -> Any:
        """The emulated device."""
        assert self._devices is not None
        return self._devices.running[self.subject.device.name]

    @property
    def commands(self) -> list[tuple[str, Any]]:
        """What the device was made to do in the world."""
        if self.subject.capability == "bms":
            assert self.pack is not None
            return self.pack.commands
        return self.terminal.commands if self.room is None else self.room.commands

    def taken_w(self) -> float:
        """Return the power that the device was made to give; of a heat pump, what it was told."""
        if self.room is not None:
            return math.inf if self.room.told_w is None else 0.0 - self.room.told_w
        return self.terminal.now.p_w

    async def start_device(self, port: int | None = None) -> None:
        """Serve the device; on its old port if one is named."""
        subject = self.subject
        rig = subject.rig
        if port is not None:
            same: Any = {"port": port}
            link = replace(subject.device.link, **same)
            rig = replace(rig, devices=(replace(subject.device, link=link),))
        bms = {} if subject.pack is None else {subject.pack.name: self.pack}
        truth: Any = self.room or self.terminal
        if subject.capability == "bms":
            truth = self.pack
        terminals = {subject.device.name: truth, **bms}
        self._devices = EmulatedDevices(
            rig, subject.registry, terminals, self._happened, make_signer=self.make_signer
        )
        issues = Issues(rig.path)
        await self._devices.start(lambda name: At(rig.path, text=f"device {name!r}"), issues)
        issues.raise_if_any("conformance.cannot_serve", f"the device of {rig.path}")

    async def stop_device(self) -> None:
        """Take the device from its wire; stopping twice is allowed."""
        if self._devices is not None:
            await self._devices.stop()

    async def reboot(self, *, off_s: float) -> None:
        """Switch the device off and on: every setting it held is lost, its address is the same."""
        where = self.emulator.endpoint
        if where["kind"] not in ("modbus-tcp", "socket"):
            raise NotApplicable("a pty that closes is gone; only a socket comes back by its name")
        await self.stop_device()
        await self.clock.sleep(off_s)
        await self.start_device(port=int(where["port"]))

    def arm(self, fault: str, **params: FaultValue) -> None:
        """Let a fault of the device fire."""
        self.emulator.arm(fault, **params)

    def link(self) -> Any:
        """Return where the driver finds the device."""
        assert self._devices is not None
        return self._devices.link_of(self.subject.device.name)

    # ------------------------------------------------------------ the driver

    async def start_driver(self, **parameters: Any) -> None:
        """Begin a process and make the driver in it; opens nothing."""
        await self.driver.start()
        subject = self.subject
        said = {**subject.parameters, **parameters}
        self.about = await self.driver.make(subject.driver, subject.device.name, self.link(), said)

    async def end_driver(self) -> None:
        """End the driver's process at once, having asked what code ran in it."""
        await self.keep_trace()
        await self.driver.stop()
        self.driver_ended = True

    async def another_process(self, **parameters: Any) -> None:
        """End the driver's process and make the driver in a new one, not opened."""
        await self.end_driver()
        self.driver = self.driver.another()
        self.driver_ended = False
        await self.start_driver(**parameters)

    async def keep_trace(self) -> None:
        """Note what code has run in the driver's process; of several, all of it."""
        found = await self.driver.trace()
        self.ran["packages"] = sorted({*self.ran["packages"], *found["packages"]})
        for file, names in found["blocks"].items():
            self.ran["blocks"][file] = sorted({*self.ran["blocks"].get(file, ()), *names})

    async def attempt(self, method: str, *args: Any, deadline_s: float = CALL_S) -> Answer:
        """Call the driver; a failure by name is an answer, any other is counted."""
        answer = await self.driver.call(method, *args, deadline_s=deadline_s)
        self.saw(method, args, answer)
        return answer

    async def value(self, method: str, *args: Any, deadline_s: float = CALL_S) -> Any:
        """Call the driver and return its value; a failure ends the case."""
        answer = await self.attempt(method, *args, deadline_s=deadline_s)
        if answer.failure is not None:
            if answer.failure.code == "driver.unsupported" and method in OPTIONAL:
                raise NotApplicable(f"{method}: {answer.failure.message}")
            self._fail(f"{method} failed: {answer.failure}")
        if text := misshapen(method, self.subject.capability, answer.value):
            self._fail(text)
        return answer.value

    def _fail(self, text: str) -> NoReturn:
        self._values[FAILED] += 1
        self.note(text)
        raise CaseOver

    async def identify(self) -> Identity:
        """Ask who the device says it is, and keep it."""
        found: Identity = await self.value("identify")
        self.identity = asdict(found)
        return found

    def saw(self, method: str, args: tuple[Any, ...], answer: Answer) -> None:
        """Write an answer down and count a failure that has no name."""
        self._write("call", method=method, args=packed(args), took_s=round(answer.took_s, 4))
        if answer.failure is None:
            self._write("value", of=method, value=packed(answer.value))
            return
        self._write("failure", of=method, **vars(answer.failure))
        if not answer.failure.named:
            self._values[UNNAMED] += 1
            self.note(
                f"{method} raised {answer.failure.type}, which is no DriverError: "
                f"{answer.failure.message[:200]}"
            )

    def footprint(self) -> Footprint:
        """Return what the driver's process holds."""
        return self.driver.footprint()

    # ------------------------------------------------------------ what is measured

    def measure(self, name: str, value: float, note: str = "") -> None:
        """State one value of the case."""
        self._values[name] = value
        self._said[name] = note

    def worst(self, name: str, value: float, note: str = "") -> None:
        """State a value of which the greatest counts."""
        if name not in self._values or value > self._values[name]:
            self.measure(name, value, note)

    def count(self, name: str, wrong: bool, note: str = "") -> None:
        """Count what is wrong, and say what."""
        self._values.setdefault(name, 0)
        if wrong:
            self._values[name] += 1
            self.note(note)

    def note(self, text: str) -> None:
        """Say something to the reader."""
        if text and len(self.notes) < NOTES_MAX:
            self.notes.append(text)

    def measurements(self) -> list[Measurement]:
        """Return what was measured, each in the unit of its limit."""
        units = {criterion.name: criterion.unit for criterion in self.case.criteria}
        return [
            Measurement(name, units[name], value, note=self._said.get(name, ""))
            for name, value in self._values.items()
            if name in units
        ]

    # ------------------------------------------------------------ the record

    def write_record(self) -> None:
        """Write down what happened."""
        self._record.write_text("".join(self._lines), encoding="utf-8")

    def _happened(self, device: str, kind: str, **data: object) -> None:
        self.events.append((kind, dict(data)))
        self._write("device", event=kind, device=device, data=data)

    def _write(self, what: str, **data: Any) -> None:
        row = {"t_s": round(self.clock.now_s(), 4), "what": what, **data}
        self._lines.append(json.dumps(row, default=str) + "\n")
