"""Campaign 1, sunny afternoon: rows M1, M3, M4, M18, M19, M22.

Stimulus: a quarter to two on a June day on the emulated street, for three quarters of an hour; the
sun gives more than the street uses. Homes, battery operators and the main grid trade; each clearing
is done again by another way, each payment is compared with what its meter signed, and what the
roofs made is certified, claimed again in three ways, and partly used up. What each participant's
page shows is compared with registers and entries.
"""

from gridrig.campaign.builtin import SCENARIOS
from gridrig.campaign.catalogue import CATALOGUE, measure
from gridrig.campaign.procedures import Criterion, Lab, Mutant, procedure
from gridrig.campaign.scenario import load_scenario, units
from gridrig.promises.clearing import is_unlike_rule
from gridrig.promises.deliveries import certified, payment_unlike_delivery_milliwh
from gridrig.promises.pages import pages_unlike_books

SCENARIO = load_scenario(SCENARIOS / "promise-1-sunny-afternoon.toml", units(CATALOGUE))
TAKEN = (
    "ledger_sum_micro",
    "periods_not_settled",
    "payments_unbacked",
    "losses_difference_of_allowed",
    "meter_periods_estimated",
)


@procedure(
    claim="a sunny afternoon clears by the rule and pays exactly what signed meters say",
    clause="promises M1, M3, M4, M18, M19, M22",
    hazards="none: nothing is switched",
    rig="emulated-street",
    needs=("inverter", "storage", "bms", "meter", "model"),
    start_utc_s=SCENARIO.start_utc_s,
    criteria=(
        Criterion("clearings_unlike_rule", "1", max=0, source="every limit tried as the price"),
        Criterion("ledger_sum_micro", "micro", min=0, max=0, source="double entry"),
        Criterion("periods_not_settled", "1", max=0, source="three delivery periods"),
        Criterion(
            "payment_unlike_delivery_milliwh",
            "mWh",
            max=0,
            source="the lesser of traded and metered, period by period",
        ),
        Criterion("payments_unbacked", "1", max=0, source="no payment without two readings"),
        Criterion(
            "losses_difference_of_allowed",
            "1",
            max=1.0,
            source="signed registers against the solved feeder, (meters + 1) x 1 mWh",
        ),
        Criterion("meter_periods_estimated", "1", max=0, source="every meter signs every period"),
        Criterion(
            "certificates_unlike_meters_wh", "Wh", max=0, source="one certificate, one signed Wh"
        ),
        Criterion(
            "claimed_twice",
            "1",
            max=0,
            source="each certified interval claimed by another issuer, as a credit, as a share",
        ),
        Criterion(
            "pages_unlike_books", "1", max=0, source="each participant's page, to the last digit"
        ),
    ),
    mutants=(
        Mutant("counts export as import", "meter-pv-1", {"sign": -1}, TAKEN[3]),
        Mutant("reads two per cent high", "meter-head", {"scale": 1.02}, TAKEN[3]),
        Mutant("signs with a foreign key", "meter-pv-2", {"seed": 999}, TAKEN[4]),
    ),
)
async def test_sunny_afternoon(lab: Lab) -> None:
    """Run the afternoon and do again what the market, the books and the register did."""
    loop = await lab.run_loop(SCENARIO)
    columns = loop.trace.columns()
    lab.recorded += [m for m in measure(loop.observed(columns)) if m.name in TAKEN]
    unlike = sum(is_unlike_rule(cleared) for cleared in loop.trading.cleared)
    lab.record("clearings_unlike_rule", "1", unlike if loop.trading.cleared else None)
    error = payment_unlike_delivery_milliwh(loop) if loop.account.settled else None
    lab.record("payment_unlike_delivery_milliwh", "mWh", error)
    inverters = {device.name for device in lab.rig.of("inverter")}
    sources = {meter.name for meter in lab.rig.signing() if meter.measures in inverters}
    register = certified(loop, sources)
    lab.record("certificates_unlike_meters_wh", "Wh", register.unlike_wh)
    lab.record("claimed_twice", "1", register.claimed_twice if register.tried else None)
    lab.record(
        "pages_unlike_books", "1", pages_unlike_books(loop) if loop.account.settled else None
    )
