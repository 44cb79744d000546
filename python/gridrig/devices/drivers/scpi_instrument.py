"""What every SCPI driver shares: life, identity, settings saved as found, written and read back.

Drivers speak over asyncio sockets and serial streams of gridrig's clock, not over pyvisa: pyvisa
waits in the kernel, which would hold a virtual clock, and a wait of its own cannot be cancelled
when the bench must become safe. Instruments behind GPIB or USB-TMC need a gateway with a socket.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from gridrig.devices.as_found import AsFound
from gridrig.devices.capabilities import Identity
from gridrig.devices.drivers.scpi_line import ScpiLine, ScpiTimes
from gridrig.devices.links import SerialLink, SocketLink
from gridrig.errors import DriverError

SETTLE_S = 2.0  # for an instrument that acts a little after it answers
POLL_S = 0.02


@dataclass(frozen=True, kw_only=True)
class ScpiDriverParameters(ScpiTimes):
    """What the `parameters` table may say of a SCPI driver.

    Parameters
    ----------
    identity : str
        Beginning of what `*IDN?` must answer; empty takes any instrument.
    """

    identity: str = ""


class ScpiDriver:
    """The common part of SCPI drivers.

    Parameters
    ----------
    name : str
        Device name.
    link : SocketLink or SerialLink
        Where it is.
    parameters : ScpiDriverParameters or None
        Waits and identity.
    """

    capability: ClassVar[str]
    SAFE_KEY: ClassVar[str]  # the one setting of its safe state
    PARAMETERS: ClassVar[type[ScpiDriverParameters]] = ScpiDriverParameters
    LINKS: ClassVar[tuple[type[SocketLink], type[SerialLink]]] = (SocketLink, SerialLink)

    def __init__(
        self,
        name: str,
        link: SocketLink | SerialLink,
        parameters: ScpiDriverParameters | None = None,
    ) -> None:
        self.name = name
        self._parameters = parameters or ScpiDriverParameters()
        self._line = ScpiLine(name, link, self._parameters)
        self.found = AsFound()  # answers by question

    async def open(self) -> None:
        """Connect and learn who it is; no setting is written."""
        await self._line.open()
        await self._check_identity()

    async def close(self) -> None:
        """Let go of the wire; closing twice is allowed."""
        await self._line.close()

    async def identify(self) -> Identity:
        """Return who the instrument says it is."""
        fields = (await self._line.text("*IDN?")).split(",")
        if len(fields) != 4:
            raise self._error(
                "framing",
                "{device}: *IDN? was answered {found!r}, expected four fields",
                found=",".join(fields),
            )
        return Identity(*(field.strip() for field in fields))

    async def clock_s(self) -> float:
        """Return the instrument's own clock. [s]"""
        (value,) = await self._line.numbers(":SYST:CLOC?")
        return value

    async def make_safe(self, safe_state: Mapping[str, object]) -> None:
        """Drive it to the declared safe state, read back.

        Raises
        ------
        DriverError
            `driver.safe_state` for a key it does not know, before anything is sent.
        """
        wanted = safe_state.get(self.SAFE_KEY)
        if set(safe_state) != {self.SAFE_KEY} or not isinstance(wanted, bool):
            raise DriverError(
                "driver.safe_state",
                "{device}: safe state {found}, expected {key} = true or false",
                kind="limit",
                device=self.name,
                found=dict(safe_state),
                key=self.SAFE_KEY,
            )
        await self._make(wanted)

    async def _make(self, on: bool) -> None:
        raise NotImplementedError

    async def restore(self) -> None:
        """Write the settings back as found, each read back, but for those made safe.

        Every setting is tried even when one fails; the first failure is raised at the end.
        """
        failures: list[DriverError] = []
        for question, found in reversed(self.found.items()):
            try:
                await self._write(question, found)
            except DriverError as error:
                failures.append(error)
            else:
                self.found.drop([question])
        if failures:
            raise failures[0]

    async def _check_identity(self) -> None:
        who = await self._line.text("*IDN?")
        if not who.startswith(self._parameters.identity):
            raise self._error(
                "other",
                "{device}: *IDN? answers {found!r}, expected {expected!r} at its beginning",
                found=who,
                expected=self._parameters.identity,
            )

    async def _set(self, header: str, value: float | str, *, tolerance: float = 0.0) -> float:
        """Save a setting as found, write it, read it back.

        Parameters
        ----------
        header : str
            From the root, such as `:VOLT`.
        value : float or str
            A number, or a word.
        tolerance : float
            Largest difference of a number read back, for instruments with steps.

        Returns
        -------
        float
            The number as read back; 0 for a word.

        Raises
        ------
        DriverError
            Kind "readback" if the instrument shows something else.
        """
        question = f"{header}?"
        if question not in self.found:
            await self.found.note({question: await self._line.text(question)})
        return await self._write(question, value, tolerance)

    async def _write(self, question: str, value: float | str, tolerance: float = 0.0) -> float:
        written = value if isinstance(value, str) else f"{value:.9g}"
        await self._line.command(f"{question.removesuffix('?')} {written}")
        shown = await self._line.text(question)
        if isinstance(value, str) and not _is_number(value):
            if shown.upper() != value.upper():
                raise self._differs(question, value, shown)
            return 0.0
        number, wanted = self._line.number_of(question, shown.encode()), float(value)
        if abs(number - wanted) > max(tolerance, 1e-6 * abs(wanted)):
            raise self._differs(question, wanted, number)
        return number

    async def _switch(self, header: str, on: bool) -> None:
        """Write an on/off setting and wait, bounded, until it shows; it is not restored."""
        await self._line.command(f"{header} {'ON' if on else 'OFF'}")
        await self._until(f"{header}?", on)

    async def _until(self, question: str, on: bool) -> None:
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + SETTLE_S
        while (shown := await self._line.text(question)) != str(int(on)):
            if loop.time() >= deadline_s:
                raise self._differs(question, int(on), shown)
            await asyncio.sleep(POLL_S)

    def _differs(self, question: str, written: object, shown: object) -> DriverError:
        return DriverError(
            "driver.readback",
            "{device}: {question} shows {found}, expected {expected} as written",
            kind="readback",
            device=self.name,
            question=question,
            found=shown,
            expected=written,
        )

    def _error(self, kind: str, message: str, **facts: object) -> DriverError:
        return DriverError(f"driver.{kind}", message, kind=kind, device=self.name, **facts)  # type: ignore[arg-type]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
