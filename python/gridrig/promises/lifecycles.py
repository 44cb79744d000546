"""The life of certificates from request to badge, every step tried in every state.

The rule is written down here a second time, as a table; the profile has to keep to it.
"""

from collections.abc import Callable, Sequence
from functools import partial

from gridrig._core import MeterPeriod
from gridrig.errors import SettlementError
from gridrig.settlement.certificates import CertificateStore, new_asset
from gridrig.settlement.profiles_lifecycle import POOL, Lifecycle

CERTIFIER, ASKER, FRIEND = "issuer", "ann", "ben"
WAY_TO: dict[str, tuple[str, ...]] = {
    "pending": (),
    "rejected": ("reject",),
    "cancelled": ("reject", "cancel"),
    "certified": ("certify",),
    "retired": ("certify", "retire"),
    "liquidised": ("certify", "liquidise"),
}
ALLOWED = {
    ("pending", "certify"): "certified",
    ("pending", "reject"): "rejected",
    ("rejected", "ask_again"): "pending",
    ("rejected", "cancel"): "cancelled",
    ("certified", "retire"): "retired",
    ("certified", "liquidise"): "liquidised",
}
STEPS = ("certify", "reject", "ask_again", "cancel", "retire", "liquidise")
HOURS_NEEDED = len(WAY_TO) * len(STEPS)


def transitions_unlike_rule(hours: Sequence[MeterPeriod]) -> int:
    """Try each step in each state, by whom it is allowed and by a stranger; count what is wrong."""
    life = _life(hours)
    periods = iter(hours)
    wrong = 0
    for state, way in WAY_TO.items():
        for step in STEPS:
            number = life.request(ASKER, next(periods))
            for taken in way:
                _take(life, number, taken)
            was_refused = _is_refused(partial(_take, life, number, step, by="eve"))
            stranger = not was_refused or life.requests[number - 1].status != state
            refused = _is_refused(partial(_take, life, number, step))
            expected = ALLOWED.get((state, step))
            found = life.requests[number - 1].status
            wrong += stranger or refused != (expected is None) or found != (expected or state)
    return wrong


def offsets_unlike_wh(hours: Sequence[MeterPeriod]) -> int:
    """Offset parts of a pool, first in first out, and return the watt-hours that went astray. [Wh]

    Three certificates are liquidised; offsets of odd sizes are laid over their edges; each is shown
    in one badge, and in a second one that has to be refused, which counts as a watt-hour astray.
    """
    life = _life(hours)
    sizes = []
    for hour in hours[:3]:
        number = life.request(ASKER, hour)
        life.certify(number, by=CERTIFIER)
        life.liquidise(number, by=ASKER)
        sizes.append(life.store.claim(life.requests[-1].certificate or 0).energy_wh)
    total = sum(sizes)
    asked = [sizes[0] // 3, sizes[0], total // 7]
    life.pay(ASKER, FRIEND, total // 2)
    owners = (ASKER, FRIEND, ASKER)
    astray = 0
    offsets = []
    for owner, wanted in zip(owners, asked, strict=True):
        energy_wh = min(wanted, life.balances_wh[owner])
        offsets.append((owner, life.offset(owner, energy_wh, purpose="use"), energy_wh))
    for owner, number, energy_wh in offsets:
        astray += abs(life.badge(owner, (number,)).energy_wh - energy_wh)
        astray += not _is_refused(partial(life.badge, owner, (number,)))
    astray += not _is_refused(lambda: life.offset(ASKER, total, purpose="more than there is"))
    offset_wh = sum(energy_wh for _, _, energy_wh in offsets)
    lots = life.store.lots()
    retired = [lot for lot in lots if lot.state == "retired"]
    pool = sum(lot.energy_wh for lot in lots if lot.state == "held" and lot.holder == POOL)
    # First in, first out: what is retired is the beginning of the pool, without a hole.
    first = min(offset_wh, sizes[0])
    of_first = sum(lot.energy_wh for lot in retired if lot.certificate == lots[0].certificate)
    return (
        astray
        + abs(of_first - first)
        + abs(sum(lot.energy_wh for lot in retired) - offset_wh)
        + abs(pool - (total - offset_wh))
        + abs(sum(life.balances_wh.values()) - (total - offset_wh))
    )


def _life(hours: Sequence[MeterPeriod]) -> Lifecycle:
    store = CertificateStore(":memory:")
    reading = hours[0].readings[0]
    store.name("point", asset := new_asset())
    store.enrol(
        reading.meter, reading.serial, asset=asset, start_milliwh=reading.export_milliwh or 0
    )
    return Lifecycle(store, CERTIFIER)


def _take(life: Lifecycle, number: int, step: str, by: str | None = None) -> None:
    whose = CERTIFIER if step in ("certify", "reject") else ASKER
    more = {"purpose": "use"} if step == "retire" else {}
    getattr(life, step)(number, by=by or whose, **more)


def _is_refused(act: Callable[[], object]) -> bool:
    try:
        act()
    except SettlementError:
        return True
    return False
