"""Meters that are exchanged, and meters that sign intervals: settled, posted, audited, both ways.

Every record is signed and verified; what is paid is computed here by hand.
"""

import struct
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from eth_utils.crypto import keccak
from paper_street import new_log

from gridrig._core import SettlementRules, Trade, VerifiedReading, Verifier
from gridrig.campaign.account import Account
from gridrig.campaign.run_resettled import Agreed, resettled_faults
from gridrig.campaign.settlement_terms import Terms
from gridrig.campaign.trading import Cleared
from gridrig.metering import EnrolledKey, OcmfSigner, enrol_all
from gridrig.quantity import DeliveryPeriod
from gridrig.settlement.audit import audit
from gridrig.settlement.journal import Journal

GLOW_GENESIS_S = 1_700_352_000
SLOT_S, SLOT = 300, 170_001
T0 = GLOW_GENESIS_S + SLOT_S * SLOT
PERIOD_S = 900
EXCHANGED_S, EDGE_S = T0 + 1_350, T0 + 1_800
LONG, SHORT = 50_000, 400_000
MONITOR = ec.derive_private_key(77_000_777, ec.SECP256K1())


def glow_packet(slot: int, energy_milliwh: int) -> bytes:
    """Sign the energy of five minutes as a Glow monitor does; what was taken is negative."""
    report = struct.pack("<IIq", 7, slot, energy_milliwh)
    digest = keccak(b"EquipmentReport" + report)
    signature = MONITOR.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    numbers = utils.decode_dss_signature(signature)
    return report + b"".join(number.to_bytes(32, "big") for number in numbers)


class Place:
    """A house whose meter is exchanged twice, a roof with a monitor, and the feeder head."""

    def __init__(self, path: Path) -> None:
        self.signers = {
            serial: OcmfSigner.from_seed(seed, "test", serial) for seed, serial in enumerate("ABCH")
        }
        monitor = MONITOR.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.verifier = Verifier()
        enrol_all(
            self.verifier,
            [
                self.key("home", "A", 0, EXCHANGED_S + 1),
                self.key("home", "B", EXCHANGED_S + 1, EDGE_S + 1, start_milliwh=(7_000, 3_000)),
                self.key("home", "C", EDGE_S + 1, start_milliwh=(0, 0)),
                self.key("head", "H", 0),
                EnrolledKey("roof", "7", "ecdsa-secp256k1", monitor, 0),
            ],
        )
        self.counters = dict.fromkeys(self.signers, 0)
        self.readings: dict[bytes, VerifiedReading] = {}
        self.trades: dict[int, list[Trade]] = {}
        self.journal = Journal(path)
        self.account = Account(
            {"house": "home", "solar": "roof", "grid": "head"},
            "grid",
            Terms(SettlementRules(long_price_micro_per_kwh=LONG, short_price_micro_per_kwh=SHORT)),
            T0,
            self.journal,
            self.verifier,
            new_log(),
        )

    def key(
        self,
        meter: str,
        serial: str,
        from_s: int,
        to_s: int | None = None,
        start_milliwh: tuple[int, int] | None = None,
    ) -> EnrolledKey:
        public = self.signers[serial].public_key_der
        window = (from_s, to_s)
        return EnrolledKey(
            meter, serial, "ecdsa-p256", public, *window, start_milliwh=start_milliwh
        )

    def take(self, record: bytes) -> None:
        reading = self.verifier.verify(record, at_s=T0 + 4 * PERIOD_S)
        self.readings[reading.digest] = reading
        self.account.take([reading])

    def read(self, serial: str, at_s: int, taken: int, given: int) -> None:
        self.counters[serial] += 1
        self.take(self.signers[serial].sign(self.counters[serial], at_s, taken, given))

    def report(self, slot: int, energy_milliwh: int) -> None:
        self.take(glow_packet(SLOT + slot, energy_milliwh))

    def settle(self, *trades: Trade) -> None:
        period = len(self.trades)
        self.trades[period] = list(trades)
        when = DeliveryPeriod(period, period * PERIOD_S, PERIOD_S)
        self.account.settle(Cleared(when, False, (), trades, (), None, 0), {}, 0.0)

    def faults(self) -> list[str]:
        agreed = Agreed("head", None)
        return list(resettled_faults(self.journal, self.readings, self.trades, agreed))


def micro(energy_milliwh: int, price: int) -> int:
    return energy_milliwh * price // 1_000_000


def test_exchanged_meters_and_meters_of_intervals_settle_to_the_unit(tmp_path: Path) -> None:
    place = Place(tmp_path / "journal")
    place.read("A", T0, 0, 0)
    place.read("H", T0, 0, 0)
    # The house takes 6 Wh and gives 1, the roof gives 5 in three slots, the grid gives 1.
    for slot, energy in enumerate((2_000, 2_500, 500)):
        place.report(slot, energy)
    place.read("A", T0 + 900, 6_000, 1_000)
    place.read("H", T0 + 900, 0, 1_000)
    place.settle(
        Trade(1, 1, "house", "bid", 4_000, 100_000), Trade(2, 2, "solar", "offer", 4_000, 100_000)
    )
    # Exchanged in the middle: 2 and 2 Wh taken, 0.5 and 0.5 given. A slot of the roof is missing.
    place.read("A", EXCHANGED_S, 8_000, 1_500)
    place.read("B", EDGE_S, 9_000, 3_500)
    place.read("H", EDGE_S, 0, 2_000)
    place.report(3, 600)
    place.report(5, 900)
    place.settle()
    metered = {row.meter: row for row in place.journal.metered_of(1)}
    assert metered["home"][7:10] == (4_000, 1_000, "measured")
    assert metered["roof"][7:10] == (0, 2_100, "estimated")
    # Exchanged at the edge. The slot comes; the roof takes 0.25 Wh in another, and gives 0.1.
    place.report(4, 300)
    for slot, energy in ((6, -250), (7, 0), (8, 100)):
        place.report(slot, energy)
    place.read("C", EDGE_S + 900, 3_000, 0)
    place.read("H", EDGE_S + 900, 0, 3_000)
    place.settle()
    assert [(one.period, one.revision) for one in place.account.corrections] == [(1, 1)]
    metered = {row.meter: row for row in place.journal.metered_of(2)}
    assert metered["home"][7:10] == (3_000, 0, "measured")
    assert metered["roof"][7:10] == (250, 100, "measured")
    metered = {row.meter: row for row in place.journal.metered_of(1, 1)}
    assert metered["roof"][7:10] == (0, 1_800, "measured")

    balances = place.journal.balances()
    bought, excess, surplus = micro(4_000, 100_000), 2_000 + 4_000 + 3_000, 1_000 + 1_000
    assert balances["house"] == micro(surplus, LONG) - bought - micro(excess, SHORT)
    surplus = 1_000 + 1_800 + 100
    assert balances["solar"] == bought + micro(surplus, LONG) - micro(250, SHORT)
    assert place.journal.sum_of_all_micro() == 0
    assert place.faults() == []
    place.journal.close()
    assert audit(tmp_path / "journal") == []
