"""The rows: what systems of the field (N) and the field as a whole (M) promise, and their proofs.

A row is proven by criteria of procedures: all of them PASS, on the rig the procedures name. A row
without any says what is missing. The claims are put in our words; none is a statement about the
product of anybody else.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Proof:
    """A criterion of a procedure under `hil/`, which carries a row."""

    procedure: str
    criterion: str


@dataclass(frozen=True)
class Row:
    """One promise.

    Parameters
    ----------
    name : str
        "M4", "N6".
    claim : str
        What is promised, as something that can be measured.
    campaign : int
        Which campaign it belongs to, 1 to 10.
    proofs : tuple of Proof
        What has to pass; empty if nothing does yet.
    missing : str
        What is not shown, of a row that is not proven or only in part.
    """

    name: str
    claim: str
    campaign: int
    proofs: tuple[Proof, ...] = ()
    missing: str = ""


def _by(procedure: str, *criteria: str) -> tuple[Proof, ...]:
    return tuple(Proof(procedure, criterion) for criterion in criteria)


_AFTERNOON, _STORM, _LIARS = "test_sunny_afternoon", "test_storm", "test_liars"
_GUARDED = "test_guarded_minds"
_ISLAND, _ANTI = "test_intentional_islanding", "test_unintentional_islanding"

ROWS = (
    Row(
        "N1",
        "a report that is false, altered or repeated is refused with its reason",
        6,
        _by(_LIARS, "false_readings_accepted", "liars_paid_milliwh"),
        "here with signed registers; the packets of Glow are checked by vectors, not in a run",
    ),
    Row("N2", "a weekly bucket is claimed once per holder, by proof", 5, (), "no campaign yet; "
        "the claim tree and its contract have tests of their own"),
    Row("N3", "a vault shares metered revenue, unsigned intervals add nothing", 5, (), "no vault"),
    Row("N4", "a virtual power plant follows an order, cheats earn nothing", 4, (), "no campaign"),
    Row("N5", "sixty sellers and hundreds of buyers clear by the quarter-hour", 1, (), "no street "
        "of that size"),
    Row(
        "N6",
        "a meter that runs backwards or signs for another is noticed and mints nothing",
        6,
        _by(_LIARS, "losses_difference_of_allowed", "meter_periods_estimated"),
    ),
    Row("N7", "samples whose power and energy disagree are set aside", 6, (), "checked by vectors "
        "of the wire format, not in a run"),
    Row("N8", "a certificate goes through its life once", 5, (), "no campaign yet"),
    Row("N9", "shares of a plant never exceed what it made", 5, (), "no campaign yet"),
    Row("N10", "facts in a tree are proved by its root alone", 9, (), "no campaign yet"),
    Row("N11", "a computing job is paid by its result and its metered energy", 9, (), "no market "
        "for computing"),
    Row("N12", "a computer on a battery stops before the battery does", 9, (), "no such device"),
    Row("N13", "a microgrid market shaves peaks", 4, (), "measured by gridrig bench microgrid"),
    Row("N14", "a batch of certificates is whole or fails", 5, (), "no campaign yet"),
    Row(
        "M1",
        "the market clears at one price that its rule gives, energy and money conserved",
        1,
        _by(_AFTERNOON, "clearings_unlike_rule", "ledger_sum_micro"),
        "one auction at a time; random orders by the hundred thousand are the core's tests",
    ),
    Row("M2", "an order is matched in milliseconds", 1, (), "measured by gridrig bench market"),
    Row(
        "M3",
        "who delivers is paid for exactly that, at once",
        1,
        _by(_AFTERNOON, "payment_unlike_delivery_milliwh", "periods_not_settled"),
        "in the journal; the escrow on a chain has tests of its own",
    ),
    Row(
        "M4",
        "paid energy was signed for at both ends",
        1,
        _by(_AFTERNOON, "payments_unbacked", "losses_difference_of_allowed"),
    ),
    Row("M5", "a battery charges when energy is cheap", 3, (), "no tariff that changes by the hour "
        "in a scenario"),
    Row("M6", "forecasts beat persistence", 8, (), "measured by gridrig forecast, not judged here"),
    Row("M7", "cars are charged without overloading the transformer", 3, (), "no campaign"),
    Row("M8", "cars give back without touching their driver's reserve", 3, (), "no campaign"),
    Row("M9", "a fleet tracks an order like one plant", 4, (), "no campaign"),
    Row(
        "M10",
        "the street islands, feeds its critical load, sheds in order, sells nothing outside",
        2,
        (
            *_by(_STORM, "island_formed_s", "shed_out_of_order", "islands_not_reclosed"),
            *_by(_STORM, "grid_energy_while_islanded_milliwh"),
            *_by(_ISLAND, "critical_served_s"),
        ),
    ),
    Row(
        "M11",
        "equipment does not notice the transition",
        2,
        (*_by(_STORM, "itic_of_allowed"), *_by(_ISLAND, "critical_served_s")),
        "RMS by the half period; says nothing of lamps or people",
    ),
    Row(
        "M12",
        "an inverter that must not island ceases within two seconds",
        2,
        _by(_ANTI, "clearing_time_s"),
    ),
    Row("M13", "an overload that is foreseen is switched around", 8, (), "no campaign; gridrig "
        "switching plans it"),
    Row("M14", "no single device is missed much", 8, (), "no campaign; gridrig switching "
        "--outages tells it"),
    Row("M15", "a cloud's ramp is made good in a stated time", 8, (), "no campaign"),
    Row(
        "M16",
        "the ledger may be away: control goes on, and what is settled late is the same",
        2,
        _by(_STORM, "periods_settled_late", "late_ledger_differs", "deadlines_missed"),
        "the journal's database is taken away, on the virtual clock; a chain's node has tests",
    ),
    Row("M17", "voltage is held by reactive power first", 8, (), "procedures of functions exist, "
        "no feeder campaign"),
    Row(
        "M18",
        "one certificate is one signed watt-hour",
        1,
        _by(_AFTERNOON, "certificates_unlike_meters_wh"),
        "in the register; its mirror on a chain has tests of its own",
    ),
    Row(
        "M19",
        "no watt-hour is claimed twice, by whomever and as whatever",
        1,
        _by(_AFTERNOON, "claimed_twice", "certificates_unlike_meters_wh"),
        "in one register; bridges, plants with shares and storage have tests of their own",
    ),
    Row("M20", "holders share revenue exactly", 10, (), "no campaign yet"),
    Row("M21", "what a household used is not in clear in what others see", 5, (), "no campaign"),
    Row(
        "M22",
        "a participant sees what ledger and meters say",
        1,
        _by(_AFTERNOON, "pages_unlike_books"),
        "no late data that afternoon; days of clock changes and keyboards are tested in a browser",
    ),
    Row("M23", "two chains and two regions keep one total", 10, (), "no campaign"),
    Row("M24", "a rule changes after its delay, and not in running trades", 10, (), "no campaign"),
    Row("M25", "rewards are compared with revenue", 10, (), "no campaign"),
    Row("M26", "a participant's bill beats the tariff", 1, (), "gridrig bills prints it; not "
        "judged here"),
    Row("M27", "local trade changes losses", 1, (), "no twin run without a market"),
    Row("M28", "hostile traffic makes no unsafe write", 7, (), "no campaign; wire faults have "
        "tests"),
    Row("M29", "who may trade follows entered rules", 10, (), "no campaign"),
    Row(
        "M30",
        "a mind that asks too much is cut to its rights, a hand wins at once",
        1,
        (
            *_by(_GUARDED, "orders_clamped", "traded_beyond_rights_milliwh"),
            *_by(_GUARDED, "override_response_periods"),
        ),
    ),
    Row("M31", "a battery's corrupt frames are never used", 7, (), "no campaign; certification "
        "tries it"),
    Row("M32", "comfort is kept while load is moved", 4, (), "no thermal load"),
    Row("M33", "a chain's errors are waited out without double payment", 7, (), "no campaign; the "
        "sender has tests"),
    Row("M34", "carbon is watt-hours times a stated rate", 5, (), "no campaign yet"),
)  # fmt: skip
