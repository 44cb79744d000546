"""A box that samples a meter of the rig and reports by the hour, as Arkreen's miners do.

Samples of what the meter gave: its power now and its register. A report that got no answer is kept
and sent again before the next one, the same bytes.

Limits: 12 samples a report; 24 reports waiting, then the oldest is dropped: the register in the
next one tells its energy.
"""

import json
from collections import deque

from gridrig.clock import Clock
from gridrig.errors import DriverError, GridrigError
from gridrig.json_rpc import Request, call
from gridrig.metering.keccak_signing import KeccakSigner, Sample, arkreen_report
from gridrig.telemetry.glow_box import ReadMeter
from gridrig.telemetry.miner_collector import METHOD

SAMPLES = 12
WAITING_MAX = 24


class MinerBox:
    """A miner beside one meter.

    Parameters
    ----------
    meter : driver
        What it samples.
    signer : KeccakSigner
        Its key.
    address : (str, int)
        Where it reports.
    clock : Clock
        Of the run.
    """

    def __init__(
        self, meter: ReadMeter, signer: KeccakSigner, address: tuple[str, int], clock: Clock
    ) -> None:
        self._meter, self._signer, self._address, self._clock = meter, signer, address, clock
        self._samples: list[Sample] = []
        self._waiting: deque[bytes] = deque(maxlen=WAITING_MAX)
        self.answers: deque[Request] = deque(maxlen=WAITING_MAX)  # the latest

    async def sample(self) -> None:
        """Take a sample, and report when an hour of them is there."""
        try:
            reading = await self._meter.read()
        except DriverError:
            return  # the next sample tells the energy of both
        power_milliwatt = max(0, round(1000 * reading.p_w))
        register = int(reading.export_milliwh or 0)
        self._samples.append(Sample(self._clock.utc_s(), power_milliwatt, register))
        if len(self._samples) == SAMPLES:
            params = arkreen_report(self._signer, self._samples)
            self._samples = []
            request = {"jsonrpc": "2.0", "id": 1, "method": METHOD, "params": params}
            self._waiting.append(json.dumps(request).encode())
            await self.push()

    async def push(self) -> None:
        """Send what waits, in its order, until one gets no answer."""
        while self._waiting:
            try:
                answer = await call(self._address, self._waiting[0])
            except GridrigError:
                return
            self._waiting.popleft()
            self.answers.append(answer)
