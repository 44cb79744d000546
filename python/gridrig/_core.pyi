"""The Rust core of gridrig: market, metering, settlement, plant.

Integers cross in base units: energy in mWh, prices in millionths of the currency per kWh, money in
millionths, times in UTC seconds. Every class is immutable, or locks what it holds.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Literal, Self, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "AuctionRules",
    "Authenticated",
    "BilateralColumns",
    "BookEvent",
    "CertificateRegister",
    "ClaimProof",
    "ClaimTree",
    "ClearedColumns",
    "Clearing",
    "Correction",
    "EnergyClaim",
    "Entry",
    "Exchange",
    "InclusionProof",
    "IslandTick",
    "Measured",
    "MerkleTree",
    "MeterPeriod",
    "Motor",
    "Numbering",
    "Opening",
    "Order",
    "Pack",
    "PostedLines",
    "Refusal",
    "Rejection",
    "RewardFleet",
    "RewardProgramme",
    "Settled",
    "SettlementRules",
    "ShareRegister",
    "SourceTick",
    "StagedBatch",
    "Terminal",
    "Trade",
    "VerifiedClaim",
    "VerifiedLeaf",
    "VerifiedReading",
    "Verifier",
    "World",
    "ZonalClearing",
    "ZonalColumns",
    "ZoneNetwork",
    "canonical_bytes",
    "carbon_credited",
    "certificate_key",
    "clear_pay_as_bid",
    "clear_pay_as_clear",
    "clear_zonal",
    "clear_zones",
    "commitment_salt",
    "enclosed_in_xml",
    "largest_remainder",
    "market_auction_s",
    "market_commands",
    "market_latencies",
    "market_rates",
    "meter_period",
    "metering_words",
    "pay_as_bid",
    "pay_as_clear",
    "pay_rewards",
    "posted_image",
    "posted_tree",
    "settle_period",
    "signature_lanes",
    "signature_rates",
    "table_image",
    "timer_cost",
    "want_signature_lanes",
]

_Side: TypeAlias = Literal["bid", "offer"]
_Direction: TypeAlias = Literal["export", "import"]
_Scheme: TypeAlias = Literal["certificate", "carbon-credit", "share"]
_Lot: TypeAlias = tuple[int, int, int, str, str, str | None, str | None]
"""(certificate, from_wh, energy_wh, holder, state, purpose, beneficiary); the state is held,
retired, charged (beneficiary: asset of the storage, in hex) or moved (beneficiary: where to)"""
_LedgerRow: TypeAlias = tuple[
    bytes,
    str,
    int,
    int,
    str,
    int | None,
    int | None,
    int | None,
    int | None,
    int | None,
    bytes,
]
"""(key_id, context, counter, time_ms, clock_status, start_ms, import_milliwh, export_milliwh,
operating_s, power_milliwatt, digest)"""
_StoreRow: TypeAlias = tuple[
    int,
    str,
    int,
    int,
    str,
    int | None,
    int | None,
    int | None,
    int | None,
    int | None,
    bytes,
    bytes,
]
"""As `_LedgerRow`, with the number of the key for its id and the record behind the digest."""
_ForkRow: TypeAlias = tuple[int, str, int, bytes, bytes, int | None]
"""(key, context, counter, digest, record, received_s)"""
_Records: TypeAlias = Sequence[bytes] | tuple[bytes, Sequence[int] | NDArray[np.int64]]

# --- market -------------------------------------------------------------------------------------

@final
class Order:
    """Intent to buy or sell energy in one delivery period, at a limit price.

    Parameters
    ----------
    order_id : int
        Arrival number, from 0; of two orders at one price the lower is served first.
    participant : str
        Who sends it.
    side : {"bid", "offer"}
        Buy or sell.
    energy_milliwh : int
        Most energy to trade. [mWh]
    price_micro_per_kwh : int
        Worst price accepted, may be negative. [millionths/kWh]

    Raises
    ------
    MarketError
        `market.word` if the side is neither word. Everything else is judged by the auction.
    """

    def __new__(
        cls,
        order_id: int,
        participant: str,
        side: str,
        energy_milliwh: int,
        price_micro_per_kwh: int,
    ) -> Order: ...
    @property
    def order_id(self) -> int: ...
    @property
    def participant(self) -> str: ...
    @property
    def side(self) -> _Side: ...
    @property
    def energy_milliwh(self) -> int: ...
    @property
    def price_micro_per_kwh(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Trade:
    """What one order traded, against the clearing house.

    Parameters
    ----------
    trade_id, order_id : int
        Number of the trade, and the order it fills.
    participant : str
        Who traded.
    side : {"bid", "offer"}
        Bought or sold.
    energy_milliwh : int
        Energy traded. [mWh]
    price_micro_per_kwh : int
        The price it traded at. [millionths/kWh]

    Raises
    ------
    MarketError
        `market.word` if the side is neither word.
    SettlementError
        `quantity.energy_bound`, `quantity.price_bound` beyond 10^15 mWh or 10^9 micro/kWh.
    """

    def __new__(
        cls,
        trade_id: int,
        order_id: int,
        participant: str,
        side: str,
        energy_milliwh: int,
        price_micro_per_kwh: int,
    ) -> Trade: ...
    @property
    def trade_id(self) -> int: ...
    @property
    def order_id(self) -> int: ...
    @property
    def participant(self) -> str: ...
    @property
    def side(self) -> _Side: ...
    @property
    def energy_milliwh(self) -> int: ...
    @property
    def price_micro_per_kwh(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Rejection:
    """An order the market refused: the first rule it broke, as a code and as a sentence."""

    @property
    def order_id(self) -> int: ...
    @property
    def code(self) -> str: ...
    @property
    def message(self) -> str: ...

@final
class Clearing:
    """Outcome of one auction; lists are by arrival.

    `price_micro_per_kwh` is None if nothing traded; `welfare_pico` is the sum of energy x (bid
    limit - offer limit) over what traded, in 10^-12 of the currency; `residuals` pairs an order
    with the energy it did not trade.
    """

    @property
    def price_micro_per_kwh(self) -> int | None: ...
    @property
    def volume_milliwh(self) -> int: ...
    @property
    def welfare_pico(self) -> int: ...
    @property
    def trades(self) -> list[Trade]: ...
    @property
    def rejections(self) -> list[Rejection]: ...
    @property
    def residuals(self) -> list[tuple[int, int]]: ...

@final
class AuctionRules:
    """The rules of an auction.

    Parameters
    ----------
    lot_milliwh : int
        Smallest step of energy, positive. [mWh]
    tick_micro_per_kwh : int
        Smallest step of price, positive. [millionths/kWh]
    ties : {"time", "pro-rata"}
        How orders at one price share what is not enough for all of them: the earlier first, or in
        proportion to their energies in whole lots, by largest remainder.
    price : {"lowest", "middle", "highest"}
        Which price of the interval in which everybody gets what it wants; the middle is floored to
        a tick.
    seed : int
        Of the draw between equal remainders, from 0.

    Raises
    ------
    MarketError
        `market.rules_lot`, `market.rules_tick`, `market.word`.
    """

    def __new__(
        cls,
        *,
        lot_milliwh: int,
        tick_micro_per_kwh: int,
        ties: str = "time",
        price: str = "middle",
        seed: int = 0,
    ) -> AuctionRules: ...
    @property
    def lot_milliwh(self) -> int: ...
    @property
    def tick_micro_per_kwh(self) -> int: ...
    @property
    def ties(self) -> Literal["time", "pro-rata"]: ...
    @property
    def price(self) -> Literal["lowest", "middle", "highest"]: ...
    def __eq__(self, other: object, /) -> bool: ...

def clear_pay_as_clear(orders: Sequence[Order], rules: AuctionRules) -> Clearing:
    """Clear one delivery period at one price: largest welfare, then most energy.

    The order of `orders` does not matter, their numbers do.

    Parameters
    ----------
    orders : sequence of Order
        At most 1,000,000.
    rules : AuctionRules

    Returns
    -------
    Clearing
        Refused orders are part of it.

    Raises
    ------
    MarketError
        `market.too_many_orders`, `market.volume_bound`.
    """

def clear_pay_as_bid(orders: Sequence[Order], rules: AuctionRules) -> Clearing:
    """Clear one delivery period in pairs, the dearest bid with the cheapest offer first.

    The same orders trade as by `clear_pay_as_clear`; in each pair the buyer pays its bid and the
    seller receives it. `trades` are two a pair, the bid's first; there is no one price.

    Parameters, Returns, Raises: as `clear_pay_as_clear`.
    """

@final
class ClearedColumns:
    """Outcome of `pay_as_clear`.

    `filled_milliwh` is what each row traded, int64 of shape (n,), 0 for one refused [mWh];
    `refused_row`, uint32, and `refused_code` name the rows refused, by arrival. Arrays cannot be
    written into. The rest as in `Clearing`.
    """

    @property
    def price_micro_per_kwh(self) -> int | None: ...
    @property
    def volume_milliwh(self) -> int: ...
    @property
    def welfare_pico(self) -> int: ...
    @property
    def filled_milliwh(self) -> NDArray[np.int64]: ...
    @property
    def refused_row(self) -> NDArray[np.uint32]: ...
    @property
    def refused_code(self) -> list[str]: ...

@final
class BilateralColumns:
    """Outcome of `pay_as_bid`: one value a trade, in merit order, and one a row.

    `bid_row`, `offer_row` (uint32), `energy_milliwh` and `price_micro_per_kwh` (int64) have shape
    (trades,) [mWh, millionths/kWh]; the rest as in `ClearedColumns`.
    """

    @property
    def volume_milliwh(self) -> int: ...
    @property
    def welfare_pico(self) -> int: ...
    @property
    def bid_row(self) -> NDArray[np.uint32]: ...
    @property
    def offer_row(self) -> NDArray[np.uint32]: ...
    @property
    def energy_milliwh(self) -> NDArray[np.int64]: ...
    @property
    def price_micro_per_kwh(self) -> NDArray[np.int64]: ...
    @property
    def filled_milliwh(self) -> NDArray[np.int64]: ...
    @property
    def refused_row(self) -> NDArray[np.uint32]: ...
    @property
    def refused_code(self) -> list[str]: ...

def pay_as_clear(
    order_id: NDArray[np.uint64],
    participant: NDArray[np.uint32],
    is_bid: NDArray[np.bool_],
    energy_milliwh: NDArray[np.int64],
    price_micro_per_kwh: NDArray[np.int64],
    rules: AuctionRules,
) -> ClearedColumns:
    """Clear columns at one price, as `clear_pay_as_clear`; the interpreter is free meanwhile.

    Parameters
    ----------
    order_id : array of uint64, shape (n,)
        Arrival numbers; n is at most 1,000,000.
    participant : array of uint32, shape (n,)
        Who sends it, numbered from 0, below 1,000,000.
    is_bid : array of bool, shape (n,)
        Buys, or else sells.
    energy_milliwh, price_micro_per_kwh : array of int64, shape (n,)
        Most energy, worst price. [mWh], [millionths/kWh]
    rules : AuctionRules

    Raises
    ------
    MarketError
        `market.too_many_orders`, `market.column_length`, `market.participant_bound`,
        `market.volume_bound`.
    TypeError
        For an array of another type or shape.
    """

def pay_as_bid(
    order_id: NDArray[np.uint64],
    participant: NDArray[np.uint32],
    is_bid: NDArray[np.bool_],
    energy_milliwh: NDArray[np.int64],
    price_micro_per_kwh: NDArray[np.int64],
    rules: AuctionRules,
) -> BilateralColumns:
    """Clear columns in pairs, as `clear_pay_as_bid`; takes what `pay_as_clear` takes."""

@final
class ZoneNetwork:
    """Zones, numbered by their places, and links between them; `gridrig.market.zones` names them.

    Parameters
    ----------
    zones : list of (int or None, int or None)
        Most energy each may sell beyond what it buys, and the other way round. [mWh]
    links : list of (int, int, int, int, int, int)
        First and second zone, limits forward and backward [mWh], fees forward and backward
        [millionths/kWh].

    Raises
    ------
    MarketError
        `market.zones_bound`, `market.links_bound`, `market.zone_limit`, `market.link_end`,
        `market.link_limit`, `market.link_fee`.
    """

    def __new__(
        cls,
        zones: Sequence[tuple[int | None, int | None]],
        links: Sequence[tuple[int, int, int, int, int, int]],
    ) -> ZoneNetwork: ...
    @property
    def zones(self) -> int: ...
    @property
    def links(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...

@final
class ZonalColumns:
    """Outcome of `clear_zones`: lists by zone and by link, fills by row.

    `payments_micro = receipts_micro + fees_micro + rent_micro`, to the last unit. A zone without
    trades has no price. `net_milliwh` is forward positive.
    """

    @property
    def price_micro_per_kwh(self) -> list[int | None]: ...
    @property
    def bought_milliwh(self) -> list[int]: ...
    @property
    def sold_milliwh(self) -> list[int]: ...
    @property
    def net_milliwh(self) -> list[int]: ...
    @property
    def fee_micro(self) -> list[int]: ...
    @property
    def volume_milliwh(self) -> int: ...
    @property
    def welfare_pico(self) -> int: ...
    @property
    def payments_micro(self) -> int: ...
    @property
    def receipts_micro(self) -> int: ...
    @property
    def fees_micro(self) -> int: ...
    @property
    def rent_micro(self) -> int: ...
    @property
    def filled_milliwh(self) -> NDArray[np.int64]: ...
    @property
    def refused_row(self) -> NDArray[np.uint32]: ...
    @property
    def refused_code(self) -> list[str]: ...

@final
class ZonalClearing:
    """Outcome of `clear_zonal`: as `Clearing`, trades at the price of their zone, and the rest."""

    @property
    def trades(self) -> list[Trade]: ...
    @property
    def rejections(self) -> list[Rejection]: ...
    @property
    def residuals(self) -> list[tuple[int, int]]: ...
    @property
    def columns(self) -> ZonalColumns: ...

def clear_zonal(
    orders: Sequence[Order], zone: Sequence[int], network: ZoneNetwork, rules: AuctionRules
) -> ZonalClearing:
    """Clear one delivery period in zones: largest welfare net of fees.

    Of several optima the one with the most energy, then the least flow, then by arrival. The prices
    are those between the lowest and the highest optimal price vector that the rule names.

    Parameters
    ----------
    orders : sequence of Order
        At most 1,000,000.
    zone : sequence of int
        Number of the zone of each.
    network : ZoneNetwork
    rules : AuctionRules

    Raises
    ------
    MarketError
        As `clear_pay_as_clear`; `market.column_length`, `market.link_fee_off_tick`.
    """

def clear_zones(
    order_id: NDArray[np.uint64],
    participant: NDArray[np.uint32],
    is_bid: NDArray[np.bool_],
    energy_milliwh: NDArray[np.int64],
    price_micro_per_kwh: NDArray[np.int64],
    zone: NDArray[np.uint32],
    network: ZoneNetwork,
    rules: AuctionRules,
) -> ZonalColumns:
    """Clear columns in zones, as `clear_zonal`; columns as for `pay_as_clear`."""

# --- metering -----------------------------------------------------------------------------------

@final
class VerifiedReading:
    """A reading whose signature, key, time and place in its meter's history were right.

    It has no constructor: only `Verifier` makes one. `digest` is the SHA-256 of the signed bytes
    and the identity of the reading; `key_id` the SHA-256 of the verifying key; `context` the letter
    of the counter that numbers it; `missing` how many records of that counter are missing before
    it; `clock_status` U, I, S or R. A register the meter has not is None; an interval has
    `start_ms` and `interval_*_milliwh` instead of registers. `profiles` names the deviations
    borne, `findings` what was found beside the valid signature; `informed_key` was not used.
    """

    @property
    def meter(self) -> str: ...
    @property
    def serial(self) -> str: ...
    @property
    def key_id(self) -> bytes: ...
    @property
    def format(self) -> str: ...
    @property
    def algorithm(self) -> str: ...
    @property
    def profiles(self) -> list[str]: ...
    @property
    def context(self) -> str: ...
    @property
    def counter(self) -> int: ...
    @property
    def missing(self) -> int: ...
    @property
    def operating_s(self) -> int | None: ...
    @property
    def time_s(self) -> int: ...
    @property
    def time_ms(self) -> int: ...
    @property
    def start_ms(self) -> int | None: ...
    @property
    def clock_status(self) -> str: ...
    @property
    def import_milliwh(self) -> int | None: ...
    @property
    def export_milliwh(self) -> int | None: ...
    @property
    def interval_import_milliwh(self) -> int | None: ...
    @property
    def interval_export_milliwh(self) -> int | None: ...
    @property
    def status(self) -> str: ...
    @property
    def contract(self) -> str | None: ...
    @property
    def informed_key(self) -> bytes | None: ...
    @property
    def findings(self) -> list[str]: ...
    @property
    def digest(self) -> bytes: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Refusal:
    """A record that is no verified reading: the first rule broken, and what that says.

    `outcome` is "repeated" if the very record was admitted before, "false" if it accuses the meter
    (or whoever sent the record), "undecided" if the bench could not decide; `meter` is None where
    it could not be told.
    """

    @property
    def code(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def meter(self) -> str | None: ...
    @property
    def outcome(self) -> Literal["repeated", "false", "undecided"]: ...

@final
class Authenticated:
    """Records judged by themselves, for `Verifier.stage` to take once."""

@final
class StagedBatch:
    """A staged batch: its outcomes, and what a store has to keep before it is committed."""

    def __len__(self) -> int: ...
    def outcome(self, place: int) -> VerifiedReading | Refusal:
        """Return one outcome as an object.

        Raises
        ------
        MeteringError
            `metering.batch_place` outside the batch.
        """

    def columns(
        self,
    ) -> tuple[
        NDArray[np.uint8],
        NDArray[np.uint8],
        NDArray[np.int32],
        NDArray[np.uint8],
        NDArray[np.int64],
        NDArray[np.int64],
        NDArray[np.int64],
        NDArray[np.int64],
        NDArray[np.uint8],
        NDArray[np.int64],
        NDArray[np.int64],
        NDArray[np.uint32],
    ]:
        """Return the outcomes as columns, in the order of `gridrig.metering.batch.Verdicts`."""

    def digests(self) -> NDArray[np.uint8]:
        """Return the SHA-256 of the signed bytes, 32 bytes a record; zeros if refused."""

    def rows(self, key_numbers: Sequence[int]) -> list[_StoreRow]:
        """Return the rows to add; `key_numbers` has the store's number of each enrolled key."""

    def forks(self, key_numbers: Sequence[int], received_s: int | None) -> list[_ForkRow]:
        """Return the contradictions to keep as proof."""

@final
class Verifier:
    """A trust store and the replay ledger of its keys; believes nobody at first.

    Parameters
    ----------
    history : int
        Counters remembered per key and counter; a store recalls what is older.
    """

    def __new__(cls, *, history: int = 4096) -> Verifier: ...
    def enrol(
        self,
        meter: str,
        *,
        serial: str,
        algorithm: str = "ecdsa-p256",
        public_key: bytes,
        valid_from_s: int,
        valid_to_s: int | None = None,
        key_form: str = "spki",
        format: str | None = None,
        arrives_by_s: int | None = None,
        revoked_at_s: int | None = None,
        profiles: Sequence[str] = ...,
        start_milliwh: tuple[int, int] | None = None,
        import_power_milliwatt_max: int | None = None,
        export_power_milliwatt_max: int | None = None,
        power_tolerance_permille: int | None = None,
        utc_offset_s: int | None = None,
        eu_summer_time: bool = False,
    ) -> None:
        """Enrol a meter's key; the parameters are those of `gridrig.metering.EnrolledKey`.

        Raises
        ------
        MeteringError
            `metering.enrol_*`; nothing is enrolled then.
        """

    def meter_names(self) -> list[str]:
        """Name the enrolled meters, in the order of their first key."""

    def key_ids(self) -> list[bytes]:
        """List the ids of the enrolled keys, in the order of their enrolment."""

    def key_meters(self) -> list[str]:
        """Name the meter of each enrolled key, in the order of their enrolment."""

    def public_key_der(self, key_id: bytes) -> bytes | None:
        """Return an enrolled key as canonical SubjectPublicKeyInfo DER."""

    def verify(self, record: bytes, *, at_s: int, meter: str | None = None) -> VerifiedReading:
        """Turn received bytes into a verified reading and remember it.

        Parameters
        ----------
        record : bytes
            One record as received, in any format.
        at_s : int
            When it was received; a reading may be at most 60 s later. [UTC s]
        meter : str or None
            The meter that was asked: a record of another is refused as `metering.other_meter`, and
            leaves that one's history alone. None takes the record of any enrolled meter.

        Returns
        -------
        VerifiedReading
            The proof.

        Raises
        ------
        MeteringError
            With the first rule broken as `code`, and `outcome` and `meter` as facts.
        """

    def verify_batch(
        self, records: Sequence[bytes], *, at_s: int
    ) -> list[VerifiedReading | Refusal]:
        """Judge records in the order given, one outcome per record.

        Raises
        ------
        MeteringError
            `metering.batch_bound` if there are more than 65,536; nothing is judged then.
        """

    def authenticate(
        self, records: _Records, *, at_s: int, format: str | None = None, threads: int = 1
    ) -> Authenticated:
        """Judge records by themselves: format, key, signatures, measure.

        Parameters
        ----------
        records : sequence of bytes, or (bytes, array of int64)
            The records, or one buffer and the n + 1 offsets at which n records begin and end.
        at_s : int
            When they were received. [UTC s]
        format : str or None
            The wire format they are of; detected for each if None.
        threads : int
            How many threads verify.

        Raises
        ------
        MeteringError
            `metering.batch_bound`, `metering.batch_offset`, `metering.format_unknown`.
        """

    def forgotten(self, authenticated: Authenticated) -> list[tuple[bytes, str, int]]:
        """List key, context and counter of what a store has to be asked before staging."""

    def stage(
        self,
        authenticated: Authenticated,
        *,
        recalled: Sequence[tuple[bytes, str, int, bytes]] = ...,
    ) -> StagedBatch:
        """Apply the ledger to a batch, in order; nothing else is admitted until it is closed.

        Parameters
        ----------
        recalled : sequence of (key_id, context, counter, digest)
            What the store holds of what `forgotten` listed.

        Raises
        ------
        MeteringError
            `metering.batch_open` while another batch is staged, `metering.batch_used`.
        """

    def commit(self) -> None:
        """Keep the staged batch."""

    def roll_back(self) -> None:
        """Forget the staged batch."""

    def ledger_rows(self) -> list[_LedgerRow]:
        """List the readings remembered, by key, context and counter."""

    def restore(self, rows: Sequence[_LedgerRow], *, forked: Sequence[bytes] = ...) -> None:
        """Fill the empty ledger with stored rows; enrol the keys first.

        Parameters
        ----------
        forked : sequence of bytes
            Ids of keys that signed two payloads under one counter.

        Raises
        ------
        MeteringError
            `metering.ledger_*`; the ledger then stays empty.
        """

def enclosed_in_xml(file: bytes) -> list[tuple[bytes | None, bytes | None, str | None]]:
    """Part an XML file of transparency software into the values in it; nothing is believed.

    Parameters
    ----------
    file : bytes
        The whole file.

    Returns
    -------
    list of (record, key, fault)
        Of each value its record and the public key that lies beside it, for information; or why it
        has no record that can be read.

    Raises
    ------
    MeteringError
        `metering.format` if the file is too long, has a document type or entities, or is no such
        file.
    """

def metering_words() -> dict[str, list[str]]:
    """List the names that verdicts, columns and trust files use, in their order."""

# --- continuous order books ---------------------------------------------------------------------

_Kind: TypeAlias = Literal["limit", "post-only", "ioc", "fok", "market", "market-fok"]
_SelfMatch: TypeAlias = Literal["cancel-resting", "cancel-incoming", "cancel-both", "decrement"]
_BookRow: TypeAlias = tuple[Literal["unopened", "open", "halted", "closed"], int, int, int, int]
"""(status, period, zone, price_min, price_max)"""
_ParticipantRow: TypeAlias = tuple[int, int, int, int, _SelfMatch]
"""(orders, energy, orders_max, energy_max, self_match)"""
_RestingRow: TypeAlias = tuple[int, int, int, _Side, _Kind, int, int, int]
"""(order_id, participant, book, side, kind, price, filled, leaves)"""

@final
class BookEvent:
    """One thing that happened in an order book, of a single command.

    `event` is accepted, refused, traded, amended, reduced, cancelled, expired, all-cancelled,
    participant-set, book-opened, collar-set, halted, resumed or gate-closed. `detail` is the kind
    of an accepted order, the stable code of a refusal, whether an amendment kept the priority, why
    an order was cancelled, the self-match policy of a participant, or None; `message` says a
    refusal as a sentence. Numbers are zero where an event does not say them; of a trade `order_id`
    and `participant` are of the order that rested, `taker_id`, `taker` and `side` of the other.
    """

    @property
    def event(self) -> str: ...
    @property
    def detail(self) -> str | None: ...
    @property
    def message(self) -> str | None: ...
    @property
    def side(self) -> _Side | None: ...
    @property
    def order_id(self) -> int: ...
    @property
    def taker_id(self) -> int: ...
    @property
    def energy_milliwh(self) -> int: ...
    @property
    def price_micro_per_kwh(self) -> int: ...
    @property
    def participant(self) -> int: ...
    @property
    def taker(self) -> int: ...
    @property
    def book(self) -> int: ...
    @property
    def orders(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    __hash__ = None  # type: ignore[assignment]

@final
class Exchange:
    """Order books behind one sequence of commands; `gridrig.market.exchange.Exchange` explains."""

    def __new__(
        cls,
        *,
        lot_milliwh: int,
        tick_micro_per_kwh: int,
        books: int,
        participants: int,
        orders: int,
        price_blocks: int,
        order_energy_milliwh_max: int,
        participant_orders_max: int,
        participant_energy_milliwh_max: int,
        self_match: str,
        log: bool,
    ) -> Exchange: ...
    def apply_columns(
        self,
        action: NDArray[np.uint8],
        order_id: NDArray[np.uint64],
        participant: NDArray[np.uint32],
        book: NDArray[np.uint32],
        side: NDArray[np.uint8],
        kind: NDArray[np.uint8],
        energy_milliwh: NDArray[np.int64],
        price_micro_per_kwh: NDArray[np.int32],
    ) -> tuple[NDArray[Any], ...]:
        """Carry out a batch and return the twelve columns of its events.

        Raises
        ------
        MarketError
            `market.column_length`, `market.column_code`, `market.batch_bound`; nothing was carried
            out then.
        """

    def submit(
        self,
        order_id: int,
        participant: int,
        book: int,
        side: str,
        kind: str,
        energy_milliwh: int,
        price_micro_per_kwh: int,
    ) -> list[BookEvent]: ...
    def cancel(self, order_id: int, participant: int) -> list[BookEvent]: ...
    def amend(
        self, order_id: int, participant: int, energy_milliwh: int, price_micro_per_kwh: int
    ) -> list[BookEvent]: ...
    def cancel_all(self, participant: int) -> list[BookEvent]: ...
    def set_participant(
        self, participant: int, orders_max: int, energy_milliwh_max: int, self_match: str
    ) -> list[BookEvent]: ...
    def open_book(
        self,
        book: int,
        period: int,
        zone: int,
        price_micro_per_kwh_min: int,
        price_micro_per_kwh_max: int,
    ) -> list[BookEvent]: ...
    def set_collar(
        self, book: int, price_micro_per_kwh_min: int, price_micro_per_kwh_max: int
    ) -> list[BookEvent]: ...
    def halt(self, book: int) -> list[BookEvent]: ...
    def resume(self, book: int) -> list[BookEvent]: ...
    def close_gate(self, book: int) -> list[BookEvent]: ...
    @property
    def order_id_last(self) -> int: ...
    @property
    def orders_resting(self) -> int: ...
    def book(self, book: int) -> _BookRow | None: ...
    def participant(self, participant: int) -> _ParticipantRow | None: ...
    def order(self, order_id: int) -> _RestingRow | None: ...
    def resting(self, book: int, side: str) -> list[_RestingRow]: ...
    def depth(
        self, book: int, side: str, levels_max: int
    ) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.uint32]]:
        """Return price, energy and number of orders of the best levels, best first."""

    def state_hash(self) -> bytes: ...
    def snapshot(self) -> bytes: ...
    def take_log(self) -> bytes | None: ...
    @staticmethod
    def restore(snapshot: bytes) -> Exchange: ...
    @staticmethod
    def replay(log: bytes) -> Exchange: ...

# --- benchmark ----------------------------------------------------------------------------------

_Percentiles: TypeAlias = tuple[int, int, int, int]
"""(p50, p99, p99.9, max) [ns]"""

def market_rates(workload: str, commands: int, repetitions: int) -> list[tuple[str, float, float]]:
    """Time every native venue over the first commands of "w1", "w2" or "w3", in turn.

    Returns
    -------
    list of (str, float, float)
        Venue, and its commands a second in the best and in the middle repetition. [1/s]

    Raises
    ------
    BenchError
        `bench.answers_differ` if two venues do not come to the same trades.
    """

def market_latencies(
    workload: str, commands: int, interval_ns: int
) -> list[tuple[str, _Percentiles, _Percentiles]]:
    """Measure venues in an open loop at one command an interval, and their service times. [ns]"""

def market_commands(workload: str, commands: int) -> tuple[NDArray[Any], ...]:
    """Make the first commands of a workload, as the eight columns that an exchange takes."""

def market_auction_s(workload: str, orders: int) -> float:
    """Clear the workload "e1" or "e2" at one price and return how long that took. [s]"""

def timer_cost() -> _Percentiles:
    """Measure what reading the clock twice takes. [ns]"""

def signature_rates(
    algorithm: str,
    table: str,
    public_keys: Sequence[bytes],
    threads: int,
    signed: Sequence[tuple[int, bytes, bytes]],
    ways: Sequence[tuple[int, int]],
    repetitions: int,
) -> tuple[float, int, list[float]]:
    """Time the verifier of signatures alone: hash and strict verdict, no format and no ledger.

    Parameters
    ----------
    algorithm, table : str
        As in a trust file; and "none", "small", "medium" or "large".
    public_keys : sequence of bytes
        SPKI DER.
    threads : int
        On which keys are enrolled.
    signed : sequence of (int, bytes, bytes)
        Place of the key, message, signature; of ECDSA over the SHA-256, in DER.
    ways : sequence of (int, int)
        Size of the batches, and threads.
    repetitions : int
        Of which the best counts.

    Returns
    -------
    float
        Time to enrol all keys, tables included. [s]
    int
        What the tables take. [bytes]
    list of float
        A rate for each way. [1/s]

    Raises
    ------
    BenchError
        `bench.key_refused` and `bench.signature_refused`: a signature must be true to be timed.
    """

def signature_lanes() -> tuple[str, bool]:
    """Say what verifies signatures in this process, and whether it is the lanes of the machine."""

def want_signature_lanes(wanted: bool) -> None:
    """Have lanes used where the machine has them, or the portable path measured in their place."""

# --- settlement ---------------------------------------------------------------------------------

@final
class MeterPeriod:
    """What one meter counted in a period, and the verified readings that say so.

    Parameters
    ----------
    participant : str
        Whose meter it is.
    opening, closing : VerifiedReading
        Of the registers of the same meter, the closing one later. A register that neither has
        counts nothing.

    Raises
    ------
    SettlementError
        `settlement.meter_mismatch`, `settlement.not_forward`, `settlement.register_missing`,
        `settlement.register_fell`.
    """

    def __new__(
        cls, participant: str, opening: VerifiedReading, closing: VerifiedReading
    ) -> MeterPeriod: ...
    @staticmethod
    def of_interval(participant: str, reading: VerifiedReading) -> MeterPeriod:
        """Take the energy of one interval, which its reading states.

        Raises
        ------
        SettlementError
            `settlement.register_missing` for a reading of registers, `settlement.not_forward`.
        """

    @staticmethod
    def since_mounted(participant: str, mounted_ms: int, closing: VerifiedReading) -> MeterPeriod:
        """Take what a meter counted since it was mounted in place of another.

        What its registers stood at then is what was enrolled with its key.

        Raises
        ------
        SettlementError
            `settlement.start_unknown`, `settlement.not_forward`, `settlement.register_missing`,
            `settlement.register_fell`.
        """

    @staticmethod
    def all_since_mounted(
        participants: Sequence[str], mounted_ms: int, closings: Sequence[VerifiedReading]
    ) -> list[MeterPeriod]:
        """Take what each of many meters counted since all of them were mounted.

        Raises
        ------
        SettlementError
            As `since_mounted`, for the first meter that it is raised for.
        ValueError
            Unless there is one participant a reading.
        """

    @staticmethod
    def estimated(
        participant: str,
        meter: str,
        from_ms: int,
        to_ms: int,
        basis: MeterPeriod | None = None,
    ) -> MeterPeriod:
        """Estimate a period: the mean power of `basis`, rounded down to 1 mWh, or nothing.

        Raises
        ------
        SettlementError
            `settlement.not_forward`, `settlement.meter_mismatch`, `settlement.quantity_bound`.
        """

    @staticmethod
    def join(parts: Sequence[MeterPeriod]) -> MeterPeriod:
        """Join stretches that follow each other: intervals, or those of an exchanged meter.

        Raises
        ------
        SettlementError
            `settlement.parts_not_joined`, `settlement.quantity_bound`.
        """

    @property
    def participant(self) -> str: ...
    @property
    def meter(self) -> str: ...
    @property
    def quality(self) -> Literal["measured", "interpolated", "estimated"]: ...
    @property
    def opening(self) -> VerifiedReading | None: ...
    @property
    def closing(self) -> VerifiedReading | None: ...
    @property
    def readings(self) -> list[VerifiedReading]:
        """Every reading behind it, in order; those of its basis for an estimate."""

    @property
    def from_ms(self) -> int: ...
    @property
    def to_ms(self) -> int: ...
    @property
    def import_milliwh(self) -> int: ...
    @property
    def export_milliwh(self) -> int: ...
    def split(self, edges_ms: Sequence[int]) -> list[MeterPeriod]:
        """Part a period that a lost reading joined, evenly over time and summing to the whole.

        Up to a time t the energy is that between the two readings times the share of time gone by,
        rounded down; a part is what comes between two of these.

        Parameters
        ----------
        edges_ms : sequence of int
            Rising times within the period. [UTC ms]

        Raises
        ------
        SettlementError
            `settlement.split_outside`.
        """

    def part(self, from_ms: int, to_ms: int) -> MeterPeriod:
        """Return what `split` at these two times has between them. [UTC ms]

        Raises
        ------
        SettlementError
            `settlement.split_outside`.
        """

    def __eq__(self, other: object, /) -> bool: ...
    __hash__ = None  # type: ignore[assignment]

@final
class SettlementRules:
    """What a settlement is agreed to be.

    Parameters
    ----------
    long_price_micro_per_kwh, short_price_micro_per_kwh : int
        Paid and charged outside trades; each period's short price is at least its highest, its long
        price at most its lowest trade price. [millionths/kWh]
    island_long_price_micro_per_kwh, island_short_price_micro_per_kwh : int or None
        The same in a period without the main grid; None for the same. [millionths/kWh]
    floor_micro_per_kwh, ceiling_micro_per_kwh : int or None
        Prices at which trades are settled; None for half the bound of a price. [millionths/kWh]
    lot_milliwh, tick_micro_per_kwh : int or None
        Trades are whole multiples of them; None for 1 Wh and 1,000. [mWh, millionths/kWh]
    grid_fee_micro_per_kwh : int
        For all energy imported, except by the feeder head. [millionths/kWh]
    operator_fee_micro_per_kwh : int
        For all energy traded and delivered or taken. [millionths/kWh]
    losses : {"house", "importers"}
        Who pays the losses.

    Raises
    ------
    SettlementError
        `settlement.word`, `settlement.lot_inexact`, `settlement.short_below_long`,
        `settlement.price_outside`, `settlement.fee_negative`, `settlement.quantity_bound`.
    """

    def __new__(
        cls,
        *,
        long_price_micro_per_kwh: int,
        short_price_micro_per_kwh: int,
        island_long_price_micro_per_kwh: int | None = None,
        island_short_price_micro_per_kwh: int | None = None,
        floor_micro_per_kwh: int | None = None,
        ceiling_micro_per_kwh: int | None = None,
        lot_milliwh: int | None = None,
        tick_micro_per_kwh: int | None = None,
        grid_fee_micro_per_kwh: int = 0,
        operator_fee_micro_per_kwh: int = 0,
        losses: str = "house",
    ) -> Self: ...
    def reserve_micro(
        self, side: str, energy_milliwh: int, price_micro_per_kwh: int, *, meters: int = 1
    ) -> int:
        """Return the most a trade can cost whoever made it, whatever its meters count.

        Parameters
        ----------
        side : {"bid", "offer"}
            Bought or sold.
        energy_milliwh, price_micro_per_kwh : int
            The trade. [mWh, millionths/kWh]
        meters : int
            Of the participant.

        Returns
        -------
        int
            Amount to reserve: trade, fees and the worst shortfall, rounded up. [millionths]
        """

    @property
    def long_price_micro_per_kwh(self) -> int: ...
    @property
    def short_price_micro_per_kwh(self) -> int: ...
    @property
    def island_long_price_micro_per_kwh(self) -> int: ...
    @property
    def island_short_price_micro_per_kwh(self) -> int: ...
    @property
    def floor_micro_per_kwh(self) -> int: ...
    @property
    def ceiling_micro_per_kwh(self) -> int: ...
    @property
    def lot_milliwh(self) -> int: ...
    @property
    def tick_micro_per_kwh(self) -> int: ...
    @property
    def grid_fee_micro_per_kwh(self) -> int: ...
    @property
    def operator_fee_micro_per_kwh(self) -> int: ...
    @property
    def losses(self) -> Literal["house", "importers"]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Entry:
    """One line of the journal: the debited account pays the credited one `amount_micro`, >= 0.

    `(period, revision, entry_id)` is its key: the same inputs give the same key and content. For a
    kind with a price, energy x price rounded half up by magnitude is the amount, and where that is
    negative debit and credit are swapped; an entry of a correction is the difference of two such
    lines. `booked_in` is the period it is posted in, `period` the one it is of.
    """

    @property
    def entry_id(self) -> int: ...
    @property
    def period(self) -> int: ...
    @property
    def revision(self) -> int: ...
    @property
    def booked_in(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def debit(self) -> str: ...
    @property
    def credit(self) -> str: ...
    @property
    def amount_micro(self) -> int: ...
    @property
    def energy_milliwh(self) -> int: ...
    @property
    def price_micro_per_kwh(self) -> int: ...
    @property
    def trade_id(self) -> int | None: ...
    @property
    def meter(self) -> str | None: ...
    @property
    def quality(self) -> Literal["measured", "interpolated", "estimated"] | None:
        """How the energy of its meter is known; None without a meter."""

    @property
    def opening_digest(self) -> bytes | None: ...
    @property
    def closing_digest(self) -> bytes | None: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Settled:
    """A settled period; energies are sums over all meters, the feeder head among them. [mWh]

    Meters are by participant and name, trades by number, links and deposits by name.
    """

    def with_receivables(
        self, corrections: Sequence[Correction], standings: Mapping[str, tuple[int, int]]
    ) -> Settled:
        """Add what participants owe beyond their balances, or pay back.

        Parameters
        ----------
        corrections : sequence of Correction
            Posted together with this period.
        standings : mapping of str to (int, int)
            What each participant's account holds, and what it owes, before; one of the two is 0.
            [millionths]

        Raises
        ------
        SettlementError
            `settlement.quantity_bound`.
        """

    @property
    def period(self) -> int: ...
    @property
    def from_ms(self) -> int: ...
    @property
    def to_ms(self) -> int: ...
    @property
    def revision(self) -> int: ...
    @property
    def island(self) -> bool: ...
    @property
    def is_estimated(self) -> bool:
        """Whether an estimate is behind it."""

    @property
    def rules(self) -> SettlementRules: ...
    @property
    def entries(self) -> list[Entry]: ...
    @property
    def meters(self) -> list[MeterPeriod]: ...
    @property
    def head(self) -> str | None:
        """Name of the meter at the feeder head."""

    @property
    def trades(self) -> list[Trade]: ...
    @property
    def trade_span(self) -> tuple[int, int] | None:
        """Lowest and highest number of its trades; None without a trade."""

    @property
    def links(self) -> list[tuple[str, int, int]]:
        """(link, energy_milliwh, fee_micro_per_kwh)."""

    @property
    def deposits(self) -> list[tuple[str, int]]:
        """(participant, amount_micro)."""

    @property
    def imported_milliwh(self) -> int: ...
    @property
    def exported_milliwh(self) -> int: ...
    @property
    def losses_milliwh(self) -> int: ...
    @property
    def long_price_micro_per_kwh(self) -> int: ...
    @property
    def short_price_micro_per_kwh(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    __hash__ = None  # type: ignore[assignment]

@final
class PostedLines:
    """What was posted of a period, line by line, over all its revisions.

    Parameters
    ----------
    period, revision : int
        The period, and the revision in force.
    rows : sequence of tuple
        Its entries by rising revision: (kind, debit, credit, amount_micro, energy_milliwh,
        price_micro_per_kwh, trade_id, meter).

    Raises
    ------
    SettlementError
        `settlement.word`, `settlement.quantity_bound`.
    """

    def __new__(
        cls,
        period: int,
        revision: int,
        rows: Sequence[tuple[str, str, str, int, int, int, int | None, str | None]],
    ) -> Self: ...
    @staticmethod
    def of(settled: Settled) -> PostedLines:
        """Return the lines of a period that stands as it was settled."""

    @property
    def revision(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    __hash__ = None  # type: ignore[assignment]

@final
class Correction:
    """Entries that turn what was posted of a period into what it comes to now, exactly new - old.

    Parameters
    ----------
    posted : PostedLines
        What was posted.
    settled : Settled
        The period settled anew, of a later revision.
    booked_in : int
        The open period that the entries are posted in, later than the one corrected.

    Raises
    ------
    SettlementError
        `settlement.revision_order`, `settlement.meter_dropped`, `settlement.quantity_bound`.
    """

    def __new__(cls, posted: PostedLines, settled: Settled, booked_in: int) -> Self: ...
    @property
    def period(self) -> int: ...
    @property
    def revision(self) -> int: ...
    @property
    def booked_in(self) -> int: ...
    @property
    def entries(self) -> list[Entry]: ...
    @property
    def meters(self) -> list[MeterPeriod]:
        """The meters behind the entries or known otherwise than before, as they count now."""

    @property
    def trades_added(self) -> list[int]:
        """Numbers of the trades that were not known when the period was posted, rising."""

    def __eq__(self, other: object, /) -> bool: ...
    __hash__ = None  # type: ignore[assignment]

@final
class MerkleTree:
    """Leaves of any bytes in their order, hashed as RFC 9162 hashes them.

    The root is SHA-256 of `02`, the leaf count in 8 bytes and the tree hash of the RFC.

    Parameters
    ----------
    leaves : sequence of bytes
        At most 2^32.

    Raises
    ------
    SettlementError
        `settlement.merkle_too_many_leaves`.

    Examples
    --------
    >>> tree = MerkleTree([b"a", b"b", b"c"])
    >>> tree.proof(2).verify(b"c", tree.root()).leaf
    b'c'
    """

    def __new__(cls, leaves: Sequence[bytes]) -> Self: ...
    @property
    def leaf_count(self) -> int: ...
    def root(self, *, threads: int = 1) -> bytes:
        """Return the root, which does not depend on the threads."""
    def proof(self, index: int) -> InclusionProof:
        """Return the proof of the leaf at a place; `settlement.merkle_index_bound` if none is."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...

@final
class InclusionProof:
    """The place of a leaf and the siblings that lead from it to the root.

    Raises
    ------
    SettlementError
        `settlement.merkle_hash_length`, `.merkle_path_length` for more than any leaf has.
    """

    def __new__(cls, *, index: int, leaf_count: int, path: Sequence[bytes]) -> Self: ...
    def verify(self, leaf: bytes, root: bytes) -> VerifiedLeaf:
        """Prove that a leaf is in the tree of a root.

        Raises
        ------
        SettlementError
            `settlement.merkle_hash_length`, `.merkle_index_bound`, `.merkle_path_length`,
            `.merkle_root_mismatch`.
        """
    @property
    def index(self) -> int: ...
    @property
    def leaf_count(self) -> int: ...
    @property
    def path(self) -> list[bytes]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class VerifiedLeaf:
    """A leaf that a root was proven to contain; only `InclusionProof.verify` makes one."""

    @property
    def leaf(self) -> bytes: ...
    @property
    def index(self) -> int: ...
    @property
    def root(self) -> bytes: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Numbering:
    """Numbers for names, each given once, from 1 on.

    A number that is given is new until it is kept or forgotten: whoever stores the names does so in
    between, and may fail.

    Parameters
    ----------
    kept : sequence of bytes
        The names that are kept already, by their numbers.
    """

    def __new__(cls, kept: Sequence[bytes]) -> Numbering: ...
    @property
    def last(self) -> int:
        """The highest number that is kept."""

    def numbers(self, names: Sequence[bytes]) -> NDArray[np.int64]:
        """Return the number of each name; a name that has none is given the next."""

    def new_names(self) -> list[bytes]:
        """Return the names that are new, whose numbers follow `last`."""

    def keep(self) -> None:
        """Keep what is new."""

    def forget(self) -> None:
        """Forget what is new: the numbers are given again."""

def posted_image(
    postings: Sequence[Settled | Correction], accounts: Numbering, meters: Numbering
) -> NDArray[np.uint8]:
    """Lay out the tables `entry` and `metered` of a post as a database of their own.

    Parameters
    ----------
    postings : sequence of Settled or Correction
        What is posted.
    accounts, meters : Numbering
        Number the names, UTF-8, in the order of `postings`; two different ones.

    Returns
    -------
    array of uint8
        A file of SQLite, for `sqlite3.Connection.deserialize`; rows stand by primary key.

    Raises
    ------
    ValueError
        For a trade whose number has more than 63 bits.
    """

def table_image(
    table: str,
    columns: str,
    rows: Sequence[tuple[int | str | bytes | None, ...]],
    *,
    first: Sequence[int] | NDArray[np.int64] | None = None,
) -> NDArray[np.uint8]:
    """Lay out a table as a database of its own, for `sqlite3.Connection.deserialize`.

    Parameters
    ----------
    table, columns : str
        Its name and those of its columns, with commas between, as SQL writes them.
    rows : sequence of tuple
        As many cells each as there are columns.
    first : sequence of int or array of int64, optional
        A further cell for the first column, one a row.

    Raises
    ------
    OverflowError
        For an integer of more than 64 bits.
    TypeError
        For a cell of another type.
    ValueError
        If `first` has not one cell a row.
    """

def posted_tree(
    settled: Settled, corrections: Sequence[Correction], *, threads: int = 1
) -> MerkleTree:
    """Return the tree of a post: of the entries and meters of a period and its corrections."""

def canonical_bytes(record: Sequence[int | str | bytes | None]) -> bytes:
    """Return the one spelling of a record as bytes: deterministic CBOR, RFC 8949, section 4.2.1.

    Examples
    --------
    >>> canonical_bytes(["a", 1, -1, None, b"b"]).hex()
    '8561610120f64162'
    """

@final
class ClaimTree:
    """All claims on one bucket of one contract, hashed; leaves stand by account, rising.

    Parameters
    ----------
    chain_id : int
        EIP-155 number of the chain.
    contract : bytes, shape (20,)
        Address of the contract that holds the money.
    bucket : int
        Number of the bucket in that contract.
    accounts : sequence of bytes, each of shape (20,)
        Who is paid, each account once.
    amounts : sequence of int
        What each takes, positive, below 2^96. [smallest unit of the token]

    Raises
    ------
    SettlementError
        `settlement.address_length`, `.address_zero`, `.claim_columns`, `.claim_amount`,
        `.claim_count`, `.claim_repeated`.

    Examples
    --------
    >>> tree = ClaimTree(
    ...     chain_id=31337, contract=b"c" * 20, bucket=1,
    ...     accounts=[b"b" * 20, b"a" * 20], amounts=[70, 30],
    ... )
    >>> tree.leaf_count, tree.total, tree.proof(b"b" * 20).verify(tree.root).amount
    (2, 100, 70)
    """

    def __new__(
        cls,
        *,
        chain_id: int,
        contract: bytes,
        bucket: int,
        accounts: Sequence[bytes],
        amounts: Sequence[int],
    ) -> Self: ...
    @property
    def root(self) -> bytes: ...
    @property
    def leaf_count(self) -> int: ...
    @property
    def total(self) -> int: ...
    @property
    def chain_id(self) -> int: ...
    @property
    def contract(self) -> bytes: ...
    @property
    def bucket(self) -> int: ...
    def claims(self) -> list[tuple[bytes, int]]:
        """Return accounts and amounts in the order of the leaves."""
    def proof(self, account: bytes) -> ClaimProof:
        """Return the proof of an account's claim; `settlement.claim_unknown` if it has none."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...

@final
class ClaimProof:
    """A claim, its place, and the siblings that lead from it to the root.

    Raises
    ------
    SettlementError
        `settlement.address_length`, `.address_zero`, `.claim_amount`, `.claim_path_malformed`.
    """

    def __new__(
        cls,
        *,
        chain_id: int,
        contract: bytes,
        bucket: int,
        leaf_count: int,
        total: int,
        index: int,
        account: bytes,
        amount: int,
        path: Sequence[bytes],
    ) -> Self: ...
    def verify(self, root: bytes) -> VerifiedClaim:
        """Prove the claim with the root alone, as the contract does.

        Raises
        ------
        SettlementError
            `settlement.claim_index`, `.claim_path_length`, `.claim_root_mismatch`.
        """
    @property
    def chain_id(self) -> int: ...
    @property
    def contract(self) -> bytes: ...
    @property
    def bucket(self) -> int: ...
    @property
    def leaf_count(self) -> int: ...
    @property
    def total(self) -> int: ...
    @property
    def index(self) -> int: ...
    @property
    def account(self) -> bytes: ...
    @property
    def amount(self) -> int: ...
    @property
    def path(self) -> list[bytes]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class VerifiedClaim:
    """A claim that a root was proven to contain; made by `ClaimProof.verify` only."""

    @property
    def account(self) -> bytes: ...
    @property
    def amount(self) -> int: ...
    @property
    def root(self) -> bytes: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

def meter_period(
    participant: str,
    meter: str,
    readings: Sequence[VerifiedReading],
    from_ms: int,
    to_ms: int,
) -> MeterPeriod:
    """Return what a meter counted in a period, by the readings that have come.

    Registers count between readings, laid out evenly where these are further apart than the period;
    an exchanged meter counts from its enrolled start registers; intervals fill what registers leave
    open; the rest is estimated at the mean power of the last stretch before, or as nothing. The
    outcome is a function of the readings as a set.

    Parameters
    ----------
    participant, meter : str
        Whose meter it is, and its name.
    readings : sequence of VerifiedReading
        Of this meter, in any order.
    from_ms, to_ms : int
        The period. [UTC ms]

    Raises
    ------
    SettlementError
        `settlement.meter_mismatch`, `settlement.not_forward`, and what `MeterPeriod` refuses.
    """

def settle_period(
    period: int,
    meters: Sequence[MeterPeriod],
    trades: Sequence[Trade],
    *,
    from_ms: int,
    to_ms: int,
    rules: SettlementRules,
    head: MeterPeriod | None = None,
    revision: int = 0,
    island: bool = False,
    links: Sequence[tuple[str, int, int]] = ...,
    deposits: Sequence[tuple[str, int]] = ...,
) -> Settled:
    """Settle trades against what verified readings say was delivered.

    The outcome is a function of the inputs as sets; their order has no part in it.

    Parameters
    ----------
    period : int
        Number of the delivery period.
    meters : sequence of MeterPeriod
        Every meter but the feeder head.
    trades : sequence of Trade
        What was traded for the period; bids and offers sum to the same energy.
    from_ms, to_ms : int
        When the period begins and ends. [UTC ms]
    rules : SettlementRules
        What was agreed.
    head : MeterPeriod or None
        The meter at the feeder head; its export flows into the feeder. None without a main grid.
    revision : int
        0 when first settled, then one more with every change of the inputs.
    island : bool
        Whether the period had no main grid; its head then counted nothing.
    links : sequence of tuple
        Of a market in zones: (link, energy_milliwh, fee_micro_per_kwh), neither negative.
    deposits : sequence of tuple
        Money paid in, or, if negative, paid out: (participant, amount_micro).

    Returns
    -------
    Settled
        Balanced entries.

    Raises
    ------
    SettlementError
        With the first rule broken; nothing is booked then.
    """

# --- plant --------------------------------------------------------------------------------------

_PlantSetting: TypeAlias = (
    bool | float | str | Sequence[float] | Sequence[Sequence[float]] | Mapping[str, "_PlantSetting"]
)
"""A setting of a device; integers count as numbers."""
_PlantEvent: TypeAlias = tuple[float, str, str, float, str]
"""(t_s, kind, name, value, detail)"""

@final
class Terminal:
    """One connection point at one moment; power is positive into the grid.

    `status` is "running", "throttled", "starting", "tripped" or "off", or "shed" for a load.
    `f_hz` is zero on a dead bus. `trip_cause` stays until the device runs again.
    """

    @property
    def v_pu(self) -> float: ...
    @property
    def f_hz(self) -> float: ...
    @property
    def p_w(self) -> float: ...
    @property
    def q_var(self) -> float: ...
    @property
    def connected(self) -> bool: ...
    @property
    def status(self) -> str: ...
    @property
    def trip_cause(self) -> str | None: ...
    @property
    def limit_w(self) -> float | None: ...
    @property
    def import_milliwh(self) -> int: ...
    @property
    def export_milliwh(self) -> int: ...

@final
class Pack:
    """One battery pack at one moment; current is positive while discharging."""

    @property
    def soc(self) -> float:
        """True state of charge of the cells, 0..1."""
    @property
    def soc_counted(self) -> float:
        """State of charge that the manager counted, 0..1."""
    @property
    def v_v(self) -> float: ...
    @property
    def i_a(self) -> float: ...
    @property
    def i_measured_a(self) -> float:
        """The current as the manager's shunt shows it. [A]"""
    @property
    def cells_mv(self) -> list[int]: ...
    @property
    def temperature_c(self) -> float: ...
    @property
    def charge_fet(self) -> bool: ...
    @property
    def discharge_fet(self) -> bool: ...
    @property
    def charge_limit_a(self) -> float: ...
    @property
    def discharge_limit_a(self) -> float: ...
    @property
    def charge_a_max(self) -> float:
        """Nameplate charge current. [A]"""
    @property
    def discharge_a_max(self) -> float:
        """Nameplate discharge current. [A]"""
    @property
    def capacity_ah(self) -> float: ...
    @property
    def cycles(self) -> int: ...
    @property
    def protections(self) -> list[str]: ...
    @property
    def balancing(self) -> list[bool]:
        """Which cells are being bled."""
    @property
    def protection_settings(self) -> list[tuple[str, float, float, float]]:
        """Name, threshold, delay and release of each protection. [V, deg C or A; s]"""
    @property
    def stored_j(self) -> float:
        """Energy in the cells above empty. [J]"""
    @property
    def heat_j(self) -> float:
        """Heat made since the beginning. [J]"""

@final
class Motor:
    """One motor at one moment; power is what it takes."""

    @property
    def closed(self) -> bool:
        """Whether its contactor is closed."""
    @property
    def speed(self) -> float:
        """Over synchronous speed at nominal frequency."""
    @property
    def i_pu(self) -> float:
        """Current over its rating. [pu]"""
    @property
    def p_w(self) -> float: ...
    @property
    def q_var(self) -> float: ...

@final
class IslandTick:
    """What an island did over one tick.

    The lists hold every `record_every`th step; the extremes and means are over all steps.
    Frequency is that of the grid formers, or of a phase-locked loop at the bus if none is left,
    and zero once the bus is dead.
    """

    @property
    def times_s(self) -> list[float]: ...
    @property
    def f_hz(self) -> list[float]: ...
    @property
    def v_pu(self) -> list[float]: ...
    @property
    def p_w(self) -> list[list[float]]:
        """Power of each device, one row a device, empty if nothing is recorded. [W]"""
    @property
    def q_var(self) -> list[list[float]]:
        """Reactive power, as `p_w`. [var]"""
    @property
    def dt_s(self) -> float:
        """How long it was. [s]"""
    @property
    def grid_p_w(self) -> list[float]: ...
    @property
    def f_min_hz(self) -> float: ...
    @property
    def f_max_hz(self) -> float: ...
    @property
    def v_min_pu(self) -> float: ...
    @property
    def v_max_pu(self) -> float: ...
    @property
    def rocof_max_hz_s(self) -> float:
        """Largest slope of f over 0.1 s, unsigned. [Hz/s]"""
    @property
    def f_mean_hz(self) -> float: ...
    @property
    def v_mean_pu(self) -> float: ...
    @property
    def f_end_hz(self) -> float: ...
    @property
    def v_end_pu(self) -> float: ...
    @property
    def events(self) -> list[_PlantEvent]: ...

_PlantSegment: TypeAlias = tuple[
    float,
    tuple[float, float],
    tuple[float, float, float],
    tuple[float, float, float],
    tuple[float, float, float],
]
"""(duration_s, f_hz, v_from_pu, v_to_pu, angle_deg), as `gridrig.plant.Segment` holds them"""

@final
class SourceTick:
    """What an analyser can see of devices behind an AC source; a row is a step, told at its end.

    Phasors are root mean square, in a frame that turns at nominal frequency, phases a, b, c.
    """

    @property
    def times_s(self) -> NDArray[np.float64]: ...
    @property
    def f_hz(self) -> NDArray[np.float64]:
        """Frequency of the source, shape (steps,). [Hz]"""
    @property
    def v_pu(self) -> NDArray[np.complex128]:
        """Voltage of the source, shape (steps, 3). [pu of nominal phase voltage]"""
    @property
    def i_va(self) -> NDArray[np.complex128]:
        """Current of each device into the source, shape (devices, steps, 3).

        Divided by the nominal phase voltage it is in amperes; `v_pu * conj(i_va)` is the power of
        a phase. [VA at nominal phase voltage]
        """
    @property
    def load_i_va(self) -> NDArray[np.complex128]:
        """Current into the resonant test load, shape (steps, 3). [VA at nominal phase voltage]"""
    @property
    def closed(self) -> NDArray[np.bool_]:
        """Whether each device's switch is closed, shape (devices, steps)."""
    @property
    def events(self) -> list[_PlantEvent]: ...

@final
class World:
    """The physical world: a terminal per device, and the switch to the main grid.

    Every call that is given a value it cannot hold raises `PlantError` and changes nothing.
    """

    def __new__(cls, *, f_nominal_hz: float = 50.0, s_base_va: float, seed: int) -> World: ...
    def __len__(self) -> int: ...
    def add_load(self, name: str) -> int: ...
    def add_pv(self, name: str, settings: Mapping[str, _PlantSetting]) -> int: ...
    def add_storage(self, name: str, settings: Mapping[str, _PlantSetting]) -> int: ...
    def set_island(self, settings: Mapping[str, _PlantSetting]) -> None:
        """Set how the next island is controlled, judged, shed and joined again."""
    def set_rlc(self, p_w: float, qf: float = 1.0, c_scale: float = 1.0) -> None:
        """Put a resonant test load beside the PCC, fed while it is open; zero takes it away."""
    def set_network(self, buses: Sequence[int], y_pu: NDArray[np.complex128], pcc: int = 0) -> None:
        """Set the network between the devices, for the islands that follow.

        While a grid former or the grid holds an island, every device then has the voltage of its
        own bus, and `losses_w` of `island_tick` is what the network does not know, mostly zero.

        Parameters
        ----------
        buses : sequence of int
            The bus of each device, in the order of adding.
        y_pu : array of complex128, shape (n_buses, n_buses)
            Nodal admittances between at most 200 buses, positive sequence, as
            `gridrig.plant.kron_reduced` gives them. [pu of `s_base_va`]
        pcc : int
            The bus of the PCC, whose voltage an island tick tells.
        """
    def remove_network(self) -> None:
        """Go back to one bus for all devices."""
    def set_load(self, i: int, p_w: float, q_var: float) -> None:
        """Set what a load consumes, not negative. [W, var]"""
    def set_load_phases(self, i: int, phases: str) -> None:
        """Connect a load to "a", "b" or "c", or to all as it is at first, "abc"."""
    def set_motor(self, i: int, settings: Mapping[str, _PlantSetting]) -> None:
        """Put a motor beside what a load consumes; its keys are in `docs/plant.md`."""
    def switch_motor(self, i: int, on: bool) -> None:
        """Switch a load's motor on, directly on line, or off."""
    def motor(self, i: int) -> Motor:
        """Return the motor of a load."""
    def set_available(self, i: int, p_w: float) -> None:
        """Set what the sun gives. [W]"""
    def set_shed_plan(self, plan: list[tuple[int, int]]) -> None:
        """Say which loads may be shed, as (device, stage); the lowest stage goes first."""
    def set_connect(self, i: int, on: bool) -> None: ...
    def set_limit_w(self, i: int, p_w: float | None) -> None: ...
    def set_power_w(self, i: int, p_w: float) -> None: ...
    def set_q_var(self, i: int, q_var: float) -> None:
        """Set constant reactive power, positive injects, and put that function into force. [var]"""
    def set_functions(self, i: int, settings: Mapping[str, _PlantSetting]) -> None:
        """Change some settings of an inverter's functions while it runs; all others stay.

        Settings are those `add_pv` and `add_storage` take. Quantities in pu are of the nameplate:
        `s_va` for reactive power (positive injects), `p_rated_w` for active power.

        ============================ ===========================================================
        `reactive_mode`              "power_factor", "constant", "volt_var" or "watt_var"
        `power_factor`               with `power_factor_excitation` "injecting" or "absorbing";
                                     `power_factor_taking`, `power_factor_taking_excitation` while
                                     it takes active power, the same unless they are given
        `reactive_reference`         "rating" or "available": what constant reactive power and the
                                     curves are shares of
        `reactive_ramp_pu_per_s`     of reactive power, both ways; 0 for none [pu/s]
        `constant_q_pu`              as `set_q_var`; `reactive_response_s` for these two [pu, s]
        `volt_var_v_pu`, `.._q_pu`   up to 20 points; `volt_var_response_s`,
                                     `volt_var_vref_pu`, `volt_var_vref_auto`, `volt_var_vref_s`
        `watt_var_p_pu`, `.._q_pu`   up to 20 points, negative absorbs; `watt_var_response_s`
        `volt_watt`                  on or off; `volt_watt_v_pu`, `volt_watt_p_pu`,
                                     `volt_watt_response_s`
        `droop`                      on or off; `droop_db_hz`, `droop_k`, `droop_under_db_hz`,
                                     `droop_under_k` (by default as over), `droop_response_s`
        `priority`                   "reactive", "required_reactive" or "active"
        `ramp_w_per_s`               of active power, both ways; 0 for none [W/s]
        `ramp_up_w_per_s`            of its rise alone; 0 for none [W/s]
        `enter_service_..`           `v_low_pu`, `v_high_pu`, `f_low_hz`, `f_high_hz`,
                                     `delay_s`, `random_s`, `ramp_s`
        `relays`                     {"OV1": [threshold, delay_s], ...} or False for none;
                                     OV1, OV2, UV1, UV2, OF1, OF2, UF1, UF2 [pu, Hz]
        `trip_curves`                {"OV": [[value, time_s], ...], ...}, mildest point first;
                                     OV, UV, OF, UF, straight between points [pu, Hz]
        `momentary_cessation`        on or off; `cessation_v_low_pu`, `cessation_v_high_pu`,
                                     `cessation_after_s`, `cessation_high_after_s` (by default
                                     as below), `cessation_restore_s`
        `island_detection`           whether the `detector` it is built with acts
        ============================ ===========================================================
        """
    def functions(self, i: int) -> dict[str, _PlantSetting]:
        """Return the settings of an inverter's functions as they read back, every key."""
    def set_fets(self, i: int, charge: bool, discharge: bool) -> None: ...
    def set_pack_limits(
        self, i: int, charge_a: float | None, discharge_a: float | None
    ) -> None: ...
    def set_soc(self, i: int, soc: float) -> None: ...
    def set_counted_soc(self, i: int, soc: float) -> None:
        """Tell a pack's manager a state of charge; its cells stay as they are."""
    def set_pack_temperature(self, i: int, t_c: float) -> None: ...
    def set_protection(self, i: int, name: str, trip: float) -> None:
        """Set the threshold of one protection of a pack. [V, deg C or A]"""
    def held(self) -> tuple[list[float], list[float]]:
        """Return what every terminal gives now. [W, var]

        Between an island tick and `integrate` these are the means over the tick.
        """
    def impose(self, v_pu: list[float], f_hz: float) -> None:
        """Impose the solved voltages and the frequency; a voltage of zero is a dead bus."""
    def override_power(self, i: int, p_w: float, q_var: float) -> None: ...
    def set_head(self, p_w: float, q_var: float) -> None:
        """Set the power at the feeder head, positive from the grid into the feeder. [W, var]"""
    def integrate(self, dt_s: float) -> None:
        """Count the held power for a time into the registers. [s]"""
    def advance(self, dt_s: float) -> None:
        """Move everything slow on by a time, while the PCC is closed. [s]"""
    def terminal(self, i: int) -> Terminal: ...
    def head(self) -> Terminal:
        """Return the feeder head; its export register counts what the grid delivered."""
    def pack(self, i: int) -> Pack: ...
    def open_pcc(self, t_s: float) -> None: ...
    def request_reclose(self, t_s: float, sync: dict[str, float]) -> None:
        """Ask to close within `df_hz`, `dv_pu` and `dtheta_deg`, all needed, and `aim_deg`."""
    def cancel_reclose(self) -> None: ...
    def set_grid_ahead(self, angle: float) -> None:
        """Say by how much the grid beyond the open PCC is ahead of the bus now. [rad]"""
    @property
    def pcc_closed(self) -> bool: ...
    @property
    def island_state(self) -> Literal["closed", "island", "synchronising", "dead"]: ...
    def island_tick(
        self,
        t_s: float,
        dt_s: float,
        losses_w: float = 0.0,
        grid_v_pu: float = 1.0,
        grid_f_hz: float | None = None,
        *,
        h_s: float = 0.001,
        record_every: int = 1,
        until_closed: bool = False,
    ) -> IslandTick:
        """Run the island over [t, t + dt) in steps of `h_s`, a whole divisor of `dt_s`.

        `record_every` of zero records no trace. Also callable just after the PCC closed again.
        With `until_closed` it ends with the step in which the PCC closes.
        """
    def source_tick(
        self,
        devices: Sequence[int],
        t_s: float,
        segments: Sequence[_PlantSegment],
        *,
        h_s: float = 0.001,
        record_every: int = 1,
    ) -> SourceTick:
        """Let an AC source play segments to the devices behind it, from `t_s` on.

        Their duration is a whole multiple of `h_s`. A call for the same devices that begins where
        the last one ended goes on; any other begins in steady state. The terminals then hold the
        means, for `held` and `integrate`; `advance` moves the other devices and the time.
        """
    def run_on_times(
        self, loads: Sequence[tuple[float, float, float]], horizon_s: float, *, h_s: float = 0.001
    ) -> NDArray[np.float64]:
        """Return when the first device trips after the PCC opens onto each test load. [s]

        Parameters
        ----------
        loads : sequence of (p_w, qf, c_scale)
            As `set_rlc` takes them, at most a million; each is tried on a copy of the world.
        horizon_s : float
            How long to watch. [s]

        Returns
        -------
        array of float64, shape (n_loads,)
            NaN where none tripped: there detection is blind. [s]
        """
    def take_events(self) -> list[_PlantEvent]:
        """Return what happened since the last call; an island tick takes what it finds."""

def largest_remainder(total_micro: int, weights: Sequence[int]) -> list[int]:
    """Part money by weight to the last unit: shares rounded down, then the largest remainders.

    Of equal remainders the one that stands first is served first; a negative total is parted by
    magnitude.

    Parameters
    ----------
    total_micro : int
        What is parted. [millionths]
    weights : sequence of int
        Not negative; together below 2^63.

    Raises
    ------
    SettlementError
        `settlement.share_nobody`, `settlement.share_weight`.

    Examples
    --------
    >>> largest_remainder(100, [1, 1, 1])
    [34, 33, 33]
    """

@final
class ShareRegister:
    """The shares of one asset: their number never changes, they only move.

    Parameters
    ----------
    founders : sequence of (str, int)
        Holders and their shares, 1 to 10^8 together.

    Raises
    ------
    SettlementError
        `settlement.share_holder`, `settlement.share_count`.
    """

    def __new__(cls, founders: Sequence[tuple[str, int]]) -> Self: ...
    def transfer(self, at_ms: int, holder: str, to: str, shares: int) -> None:
        """Move shares in the order of time."""
    def held(self) -> dict[str, int]:
        """Return who holds how many now, by name."""
    def weights(self, from_ms: int, to_ms: int) -> dict[str, int]:
        """Return shares times milliseconds in a span, by name; `settlement.share_span`."""
    def distribute(
        self, net_revenue_micro: int, *, from_ms: int, to_ms: int, losses_micro: int = 0
    ) -> tuple[list[tuple[str, int]], int, int]:
        """Pay the net revenue of a span to those who held shares in it, by largest remainder.

        A loss is carried and made good out of later revenue before anybody is paid.

        Parameters
        ----------
        net_revenue_micro : int
            Revenue less cost of the span, of either sign. [millionths]
        from_ms, to_ms : int
            The span. [UTC ms]
        losses_micro : int
            Losses carried so far, not negative. [millionths]

        Returns
        -------
        tuple
            Payouts by name, what made good losses, and losses carried on. [millionths]

        Raises
        ------
        SettlementError
            `settlement.share_span`, `settlement.share_loss`.
        """

def commitment_salt(secret: bytes, leaf_id: str) -> bytes:
    """Return the salt of a leaf: HMAC-SHA-256 of the participant's secret and the leaf id.

    Raises
    ------
    SettlementError
        `settlement.commitment_secret` unless the secret has 32 bytes that are not all zero,
        `settlement.commitment_leaf_id` unless the id has 1 to 256 bytes.
    """

@final
class Opening:
    """What opens a commitment: whoever has it knows the payload, and nothing else.

    Parameters
    ----------
    leaf_id : str
        Which leaf it is, once for good; 1 to 256 bytes.
    salt : bytes, shape (32,)
        As `commitment_salt` gives it.
    payload : bytes
        What is committed to, at most 1 MiB.

    Raises
    ------
    SettlementError
        `settlement.commitment_leaf_id`, `.commitment_hash`, `.commitment_payload`.
    """

    def __new__(cls, leaf_id: str, salt: bytes, payload: bytes) -> Self: ...
    @property
    def commitment(self) -> bytes: ...
    def open(self, commitment: bytes) -> bytes:
        """Return the payload that a commitment is proven to be of.

        Raises
        ------
        SettlementError
            `settlement.commitment_hash`, `settlement.commitment_opens_another`.
        """

    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

def certificate_key(asset: bytes, quantum: int, direction: _Direction) -> bytes:
    """Return what a claim on one quantum is entered under, as the contract computes it.

    Raises
    ------
    SettlementError
        `settlement.certificate_asset`, `settlement.word`.
    """

def carbon_credited(
    energy_wh: Sequence[int], rates_g_per_mwh: Sequence[int | None]
) -> list[tuple[int | None, int]]:
    """Credit the carbon of intervals in the order of time: grams = Wh x rate, rounded down.

    The rounding is over the whole and not in each interval. A missing rate withholds its interval.

    Parameters
    ----------
    energy_wh : sequence of int
        Energy of each interval. [Wh]
    rates_g_per_mwh : sequence of int or None
        Its rate, or None while that is not known. [g/MWh]

    Returns
    -------
    list of (int or None, int)
        Exact micrograms, None where withheld; grams credited with the interval.

    Raises
    ------
    SettlementError
        `settlement.carbon_rates`, `.carbon_rate`, `.carbon_grams`.

    Examples
    --------
    >>> carbon_credited([1_000, 500, 700], [400_000, None, 1_500])
    [(400000000, 400), (None, 0), (1050000, 1)]
    """

@final
class EnergyClaim:
    """A claim on what an asset exported or imported in an interval.

    Parameters
    ----------
    number : int
        Number of the event that entered it; names the certificate.
    asset : bytes, shape (32,)
        Pseudonym of the connection point.
    direction : str
        "export" or "import".
    first_quantum, quanta : int
        The interval, in quanta of 300 s from 1970 on; 1 to 288 of them.
    energy_wh : int
        How much. [Wh]
    scheme : str
        "certificate", "carbon-credit" or "share".
    issuer, holder : str
        Who claims it, and who got it first.
    is_from_storage : bool
        Whether it was discharged from a storage.
    backing : (str, str, bytes, bytes, int or None, int, int or None), optional
        Meter, serial number, digests of the opening and the closing reading, of registers the
        number of the first Wh as the meter counts them, how many whole Wh it is, of an interval
        the energy it states [mWh]; None if another issuer vouches for it.

    Raises
    ------
    SettlementError
        `settlement.certificate_asset`, `.certificate_interval_bound`, `settlement.word`.
    """

    def __new__(
        cls,
        *,
        number: int,
        asset: bytes,
        direction: _Direction,
        first_quantum: int,
        quanta: int,
        energy_wh: int,
        scheme: _Scheme,
        issuer: str,
        holder: str,
        is_from_storage: bool = False,
        backing: tuple[str, str, bytes, bytes, int | None, int, int | None] | None = None,
    ) -> Self: ...
    @property
    def number(self) -> int: ...
    @property
    def asset(self) -> bytes: ...
    @property
    def direction(self) -> _Direction: ...
    @property
    def first_quantum(self) -> int: ...
    @property
    def quanta(self) -> int: ...
    @property
    def from_s(self) -> int: ...
    @property
    def to_s(self) -> int: ...
    @property
    def energy_wh(self) -> int: ...
    @property
    def scheme(self) -> _Scheme: ...
    @property
    def issuer(self) -> str: ...
    @property
    def holder(self) -> str: ...
    @property
    def is_from_storage(self) -> bool: ...
    @property
    def backing(
        self,
    ) -> tuple[str, str, bytes, bytes, int | None, int, int | None] | None: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class CertificateRegister:
    """All claims of energy and the lots of certificates, in memory; every step is one event.

    `gridrig.settlement.certificates.CertificateStore` keeps one in SQLite. A step that breaks a
    rule raises a `SettlementError` of the codes in `docs/certificates.md` and does nothing.
    """

    def __new__(cls) -> Self: ...
    @property
    def events(self) -> int: ...
    def name(self, point: str, asset: bytes) -> None:
        """Give a connection point its pseudonym, once for good."""
    def enrol(
        self,
        meter: str,
        serial: str,
        *,
        asset: bytes,
        start_milliwh: int = 0,
        carried_milliwh: int = 0,
        storage_permille: int | None = None,
    ) -> None:
        """Enrol a generation meter, or that of a storage with its round-trip efficiency."""
    def mint(
        self, period: MeterPeriod, *, scheme: _Scheme, issuer: str, holder: str
    ) -> EnergyClaim | None:
        """Return the claim of a period, not entered; None below 1 Wh; one that stands as it is."""
    def enter(self, claim: EnergyClaim) -> None:
        """Enter a claim, minted here or told by another issuer."""
    def split(self, certificate: int, from_wh: int, energy_wh: int, holder: str) -> None:
        """Make some watt-hours of a lot a lot of their own."""
    def transfer(
        self, certificate: int, from_wh: int, energy_wh: int, holder: str, to: str
    ) -> None:
        """Give some watt-hours of a lot to another holder."""
    def retire(
        self,
        certificate: int,
        from_wh: int,
        energy_wh: int,
        holder: str,
        *,
        purpose: str,
        beneficiary: str,
    ) -> None:
        """Use some watt-hours up, for good."""
    def charge(
        self, certificate: int, from_wh: int, energy_wh: int, holder: str, storage: bytes
    ) -> None:
        """Retire some watt-hours to charge the storage of an asset."""
    def move_out(
        self, certificate: int, from_wh: int, energy_wh: int, holder: str, place: str
    ) -> None:
        """Let a whole certificate live on in a registry elsewhere."""
    def withdrawn(self, digest: bytes) -> list[int]:
        """Return the certificates to freeze when a reading is withdrawn."""
    def freeze(self, certificate: int, digest: bytes) -> None:
        """Stop every step of a certificate."""
    def is_frozen(self, certificate: int) -> bool:
        """Tell whether the reading behind a certificate was withdrawn."""
    def claim(self, certificate: int) -> EnergyClaim:
        """Return a claim by its number."""
    def claims(self) -> list[EnergyClaim]:
        """Return all claims in the order of their numbers."""
    def standing(
        self, asset: bytes, direction: _Direction, first_quantum: int, quanta: int
    ) -> EnergyClaim | None:
        """Return the claim that stands in the way of one on these quanta."""
    def lots(self, certificate: int | None = None) -> list[_Lot]:
        """Return lots by certificate and watt-hour."""
    def charged_milliwh(self, storage: bytes) -> int:
        """Return what is left of what certificates charged a storage with. [mWh]"""
    def supply(self) -> tuple[int, int, int, int, int, int]:
        """Return minted, held, retired, moved, frozen and unbacked energy. [Wh]"""

def pay_rewards(pool_micro: int, due_micro: Sequence[int]) -> tuple[list[int], int]:
    """Pay what is due from a pool, or the pool in proportion to it by largest remainder.

    Returns
    -------
    tuple
        What each is paid, in order, and what is left in the pool. [millionths]

    Raises
    ------
    SettlementError
        `settlement.reward_due` if an amount is negative or the dues do not fit.

    Examples
    --------
    >>> pay_rewards(100, [30, 30]), pay_rewards(50, [30, 30, 31])
    (([30, 30], 40), ([17, 16, 17], 0))
    """

@final
class RewardFleet:
    """The sites of a programme; a connection point is enrolled whole, with every meter it has.

    Parameters
    ----------
    points : mapping of str to sequence of str
        Connection points and all their meters, as the network operator lists them.

    Raises
    ------
    SettlementError
        `settlement.reward_meter_repeated`, `settlement.reward_point_unknown`.
    """

    def __new__(cls, points: Mapping[str, Sequence[str]]) -> Self: ...
    def enrol(self, site: str, point: str, *, commitment_milliwh: int) -> None:
        """Enrol a connection point as a site.

        Raises
        ------
        SettlementError
            `settlement.reward_point_unknown`, `.reward_point_enrolled` with both sites,
            `.reward_site_repeated`, `.reward_due`.
        """
    def sites(self) -> list[tuple[str, str, list[str], int]]:
        """Return site, point, meters and commitment in mWh, by name."""

@final
class Measured:
    """What was measured of a site in an event; `shortcoming` is None, "baseline-short" or
    "event-unread", `digests` are those of the readings of the event."""

    @property
    def baseline_milliwh(self) -> int: ...
    @property
    def net_load_milliwh(self) -> int: ...
    @property
    def counted_milliwh(self) -> int: ...
    @property
    def shortcoming(self) -> str | None: ...
    @property
    def digests(self) -> list[bytes]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    __hash__ = None  # type: ignore[assignment]

@final
class RewardProgramme:
    """The numbers of a programme of a virtual power plant; the rules are in `docs/certificates.md`.

    Parameters
    ----------
    period_ms : int
        Length of a period, which parts a day. [ms]
    utc_offset_s : int
        Local standard time less UTC. [s]
    baseline_days, look_back_days, unread_days_max : int
        Days of a baseline, how far back they may lie, and how many unread ones are passed over.
    adjustment_periods, adjustment_permille_max : int
        Periods before the notice that adjust the baseline, and by how much of it at most.
    dead_band_permille : int
        What of a response is not paid, of the baseline.
    event_periods_max, event_days_max : int
        Most periods of an event; most event days that one day is a baseline day of.
    response_price_micro_per_kwh, energy_price_micro_per_kwh_min : int
        What a response is paid; the least that energy costs a participant. [millionths/kWh]

    Raises
    ------
    SettlementError
        `settlement.reward_programme`; `settlement.reward_inflating_days` and
        `settlement.reward_inflating_notice` if inflating a baseline would pay.
    """

    def __new__(
        cls,
        *,
        period_ms: int,
        utc_offset_s: int,
        baseline_days: int,
        look_back_days: int,
        unread_days_max: int,
        adjustment_periods: int,
        adjustment_permille_max: int,
        dead_band_permille: int,
        event_periods_max: int,
        event_days_max: int,
        response_price_micro_per_kwh: int,
        energy_price_micro_per_kwh_min: int,
    ) -> Self: ...
    def day(self, time_ms: int) -> int:
        """Return the number of the local day of a time, from that of 1970-01-01."""
    def due_micro(self, counted_milliwh: int) -> int:
        """Return what a response is due. [millionths]"""
    def response(
        self,
        fleet: RewardFleet,
        site: str,
        periods: Sequence[MeterPeriod],
        *,
        notice_ms: int,
        from_ms: int,
        to_ms: int,
        excluded_days: AbstractSet[int] = ...,
    ) -> Measured:
        """Measure what a site did in an event, from all its readings.

        Raises
        ------
        SettlementError
            `settlement.reward_event`, `.reward_site_unknown`, `.reward_meter_foreign`,
            `.reward_period`, `.reward_period_repeated`, `.reward_too_many`.
        """
    def capacity(
        self,
        fleet: RewardFleet,
        site: str,
        periods: Sequence[MeterPeriod],
        *,
        notice_ms: int,
        from_ms: int,
        to_ms: int,
        claimed_milliwh: int,
        tolerance_permille: int = 50,
        excluded_days: AbstractSet[int] = ...,
    ) -> Measured:
        """Measure the least that a site showed in a period of a test; 0 if it claimed too much."""
    def connectivity(
        self,
        fleet: RewardFleet,
        site: str,
        periods: Sequence[MeterPeriod],
        *,
        from_ms: int,
        to_ms: int,
    ) -> tuple[int, int]:
        """Return how many periods of a span all meters signed, and how many there are."""

    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    __hash__ = None  # type: ignore[assignment]
