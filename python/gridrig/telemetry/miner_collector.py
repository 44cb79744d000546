"""Collects the hourly samples of Arkreen's miners, by JSON-RPC.

A report that the verifier refuses is answered by the number that the network's documents give its
fault. One whose signature holds, but whose energy is not that of its power, or more than its place
can give, is set aside: nothing of its interval counts.

References
----------
.. [1] Arkreen, ApiMinerPushDoc, `docs/tx_reportMinerPoGG.md`, read for facts.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import ClassVar

from gridrig._core import VerifiedReading, Verifier
from gridrig.clock import Clock
from gridrig.errors import MeteringError
from gridrig.json_rpc import JsonRpcServer, Request
from gridrig.metering.keys import EnrolledKey, enrol_all

FORMAT, METHOD = "arkreen", "tx_reportMinerPoGG"
WRONG_SIGNATURE, WRONG_CONTENT, UNKNOWN_MINER = 12201, 12207, 12208
NO_SUCH_METHOD = -32601
_NUMBERS = {"metering.signature_false": WRONG_SIGNATURE, "metering.key_unknown": UNKNOWN_MINER}


class MinerCollector:
    """Takes reports of enrolled miners.

    Parameters
    ----------
    keys : iterable of EnrolledKey
        Of format `arkreen`; `power_tolerance_permille` and `export_power_milliwatt_max` say what is
        plausible. The serial is the address.
    clock : Clock
        Of the run.
    on_report : callable
        Told meter, time [UTC s] and energy [mWh] of each report that counts.

    `DOUBTS` are the findings for which a report is set aside.
    """

    DOUBTS: ClassVar[frozenset[str]] = frozenset(
        {"energy_off_power", "unit_slip", "reversed_ct", "export_over_capacity"}
    )

    def __init__(
        self,
        keys: Iterable[EnrolledKey],
        clock: Clock,
        on_report: Callable[[str, int, int], object] = lambda _meter, _time_s, _energy: None,
    ) -> None:
        self._clock, self._on_report = clock, on_report
        self._verifier = Verifier()
        enrol_all(self._verifier, [key for key in keys if key.format == FORMAT])
        self._register_milliwh: dict[str, int] = {}
        self.energy_milliwh: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.set_aside: list[tuple[str, int, list[str]]] = []  # meter, time, findings
        self.server = JsonRpcServer(self._answer)

    def _answer(self, request: Request, body: bytes) -> Request | HTTPStatus:
        if request["method"] != METHOD:
            return _error(NO_SUCH_METHOD, f"{request['method']} is not {METHOD}")
        try:
            # Of the bytes received: nothing is written anew before it is verified.
            reading = self._verifier.verify(body, at_s=self._clock.utc_s())
        except MeteringError as refused:
            self.outcomes[refused.code] += 1
            number = _NUMBERS.get(refused.code, WRONG_CONTENT)
            return _error(number, f"{refused.code}: {refused.message}")
        return {"result": {"counted": self._count(reading)}}

    def _count(self, reading: VerifiedReading) -> bool:
        register = reading.export_milliwh or 0
        before = self._register_milliwh.get(reading.meter)
        self._register_milliwh[reading.meter] = register
        if doubts := sorted(self.DOUBTS.intersection(reading.findings)):
            self.outcomes["set aside"] += 1
            self.set_aside.append((reading.meter, reading.time_s, doubts))
            return False
        self.outcomes["counted"] += 1
        energy = 0 if before is None else register - before
        self.energy_milliwh[reading.meter] += energy
        self._on_report(reading.meter, reading.time_s, energy)
        return True


def _error(number: int, text: str) -> Request:
    return {"error": {"code": number, "message": text}}
