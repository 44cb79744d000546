"""A made-up run, complete and plausible, so that reports can be seen and tested without a rig.

Sixteen periods of a summer afternoon on a feeder of 14 buses: sun, then a storm; the feeder's head
opens twice, into a deficit and into a surplus island. Numbers come from formulas and one seed.
"""

import hashlib
import math
from pathlib import Path
from random import Random

import numpy as np

from gridrig.campaign.evidence import RunDirectory
from gridrig.campaign.measurements import Criterion, Measurement, judge_all
from gridrig.campaign.records import (
    BalanceRow,
    ClearingRow,
    DeviceRecord,
    EnergyRow,
    EntryRow,
    LimitLine,
    Opening,
    OrderRow,
    ParticipantRecord,
    ReadingRow,
    RunRecord,
    TradeRow,
)
from gridrig.campaign.run_verdicts import RunVerdicts

START_UTC_S = 1_468_152_000  # 10 July 2016, 12:00 UTC
DURATION_S, PERIOD_S = 14_400, 900
OPENINGS_S, CLOSINGS_S = (6_300.0, 10_800.0), (9_000.0, 13_200.0)
INVERTERS = ("pv-3", "pv-7", "pv-11", "pv-14")
STORAGES, PACKS = ("storage-5", "storage-9"), ("pack-5", "pack-9")
BUSES = tuple(f"lv1.101 bus {number}" for number in range(1, 15))
HOUSES = tuple(f"house-{number}" for number in range(1, 14))


def write_synthetic_run(
    path: Path, *, hardware: bool = False, trip_time_s: float = 1.42, left_unsafe: bool = False
) -> RunDirectory:
    """Write a whole run directory, unsigned and without report; `finish` is the caller's."""
    devices = _devices(hardware=hardware)
    run = RunDirectory(path, device_order=[device.name for device in devices])
    run.add_rig(b'[rig]\nname = "emulated-street"\nclock = "virtual"\n')
    run.add_scenario(b'[scenario]\nstart = "2016-07-10T12:00:00Z"\nduration_s = 14400\nseed = 1\n')
    run.add_run(_run_record(devices))
    trace = _trace()
    run.add_trace(trace)
    run.add_island(_island())
    run.append_events(_events())
    run.append_readings(_readings())
    _add_market(run)
    run.add_verdicts(_verdicts(trace, trip_time_s, left_unsafe=left_unsafe))
    run.add_host({"host": "somewhere", "python": "3.11", "ports": {"pv-3": 40123}})
    run.add_file("journal.sqlite", b"SQLite format 3\x00" + bytes(64))
    return run


def _devices(*, hardware: bool) -> tuple[DeviceRecord, ...]:
    rows = []
    for capability, names, driver, maker in (
        ("inverter", INVERTERS, "sunspec", "gridrig emulated PV"),
        ("storage", STORAGES, "sunspec-storage", "gridrig emulated storage"),
        ("bms", PACKS, "jbd", "gridrig emulated pack"),
        ("meter", ("meter-head", *(f"meter-{n}" for n in range(1, 14))), "signed-meter", "gridrig"),
    ):
        for rank, name in enumerate(names):
            kind = "hardware" if hardware and name == "pv-7" else "emulated"
            identity = {"manufacturer": maker, "serial": f"GR{capability[:2].upper()}{rank:04d}",
                        "firmware": "1.0"}  # fmt: skip
            if kind == "hardware":
                identity = {"manufacturer": "Fronius <&>", "serial": "33192418",
                            "firmware": "1.34.6-1", "calibrated": "2016-03-02"}  # fmt: skip
            driver_ = "pylontech" if name == "pack-9" else driver
            bus = BUSES[(rank * 3) % 14]
            rows.append(DeviceRecord(name, capability, driver_, kind, identity, bus))
    return tuple(rows)


def _run_record(devices: tuple[DeviceRecord, ...]) -> RunRecord:
    participants = [
        ParticipantRecord("grid", "grid", "meter-head", BUSES[0]),
        *(ParticipantRecord(name, "consumer", f"meter-{n}", BUSES[n % 14])
          for n, name in enumerate(HOUSES, start=1)),
        *(ParticipantRecord(name, "producer", f"meter-{name}", "") for name in INVERTERS),
        *(ParticipantRecord(name, "storage", f"meter-{name}", "") for name in STORAGES),
    ]  # fmt: skip
    return RunRecord(
        title="Sunny afternoon, then storm",
        seed=1,
        clock="virtual",
        gridrig="0.1.0",
        start_utc_s=START_UTC_S,
        duration_s=DURATION_S,
        period_s=PERIOD_S,
        rig="emulated-street",
        scenario="sunny-then-storm",
        nominal={"f_hz": 50, "v_ll": 400, "phases": 3},
        feeder={"engine": "pandapower", "network": "simbench:1-LV-rural1--2-no_sw",
                "pcc": "trafo:0"},
        versions={"pandapower": "3.5.6", "pymodbus": "3.16.1", "numpy": "2.4.0"},
        overrides={},
        devices=devices,
        participants=tuple(participants),
        opening=(
            Opening(OPENINGS_S[0], -21_400.0, 30_000.0, "deficit: shed stages 1 and 2"),
            Opening(OPENINGS_S[1], 18_900.0, 30_000.0, "surplus: PV throttled on its droop"),
        ),
        limits=(
            LimitLine("f_hz", 62 / 60 * 50, "OF2 trip 0.16 s"),
            LimitLine("f_hz", 51.0, "OF1 trip 300 s"),
            LimitLine("f_hz", 48.75, "UF1 trip 300 s"),
            LimitLine("f_hz", 56.5 / 60 * 50, "UF2 trip 0.16 s"),
            LimitLine("f_hz", 49.0, "ride-through from here", "ride-through"),
            LimitLine("v_pu", 1.2, "OV2 trip 0.16 s"),
            LimitLine("v_pu", 1.1, "OV1 trip 2 s"),
            LimitLine("v_pu", 0.7, "UV1 trip 10 s"),
        ),
    )  # fmt: skip


def _ticks() -> np.ndarray:
    edges = []
    t_s = 0.0
    while t_s < DURATION_S:
        edges.append(t_s)
        near = any(event - 300 <= t_s < event + 300 for event in (*OPENINGS_S, *CLOSINGS_S))
        t_s += 1.0 if near else 60.0
    return np.array(edges)


def _is_island(t_s: np.ndarray) -> np.ndarray:
    spans = zip(OPENINGS_S, CLOSINGS_S, strict=True)
    return np.any([(t_s >= start) & (t_s < stop) for start, stop in spans], axis=0)


def _trace() -> dict[str, np.ndarray]:
    t_s = _ticks()
    noise = np.random.default_rng(1)
    island = _is_island(t_s)
    storm = 1 / (1 + np.exp((t_s - 6_900) / 240))
    clearing = 1 / (1 + np.exp(-(t_s - 10_200) / 200))
    sun = np.clip(storm * 0.93 + 0.08 + 0.75 * clearing, 0, 0.95)
    columns: dict[str, np.ndarray] = {"t_s": t_s, "dt_s": np.diff(t_s, append=DURATION_S)}
    device: dict[str, np.ndarray] = {}
    total_pv = np.zeros(len(t_s))
    throttle = np.where((t_s >= OPENINGS_S[1]) & island, 0.62, 1.0)
    for rank, name in enumerate(INVERTERS):
        rating_w = (24_000, 30_000, 18_000, 12_000)[rank]
        flutter = 1 - 0.12 * np.clip(np.sin(t_s / (310 + 40 * rank) + rank), 0, 1) ** 6
        available = rating_w * sun * flutter
        p_w = available * throttle
        total_pv += p_w
        device[f"device.{name}.p_w"] = p_w
        device[f"device.{name}.q_var"] = -0.1 * p_w
        device[f"device.{name}.telemetry_p_w"] = p_w * (1 + noise.normal(0, 0.002, len(t_s)))
        device[f"device.{name}.available_w"] = available
    loads = {}
    for rank in range(13):
        base = 1_900 + 260 * rank
        shed = island & (t_s < OPENINGS_S[1]) & (rank % 4 == 0)
        wave = 1 + 0.22 * np.sin(t_s / 1_900 + rank) + noise.normal(0, 0.03, len(t_s))
        loads[f"load.{BUSES[rank + 1]}.p_w"] = np.where(shed, 0.0, base * wave)
    total_load = sum(loads.values())
    gap = total_load - total_pv
    former = np.where(island, np.clip(gap, -30_000, 30_000), np.clip(0.25 * gap, -9_000, 9_000))
    device["device.storage-5.p_w"] = former
    device["device.storage-9.p_w"] = np.where(island, 0.0, np.clip(0.2 * gap, -7_000, 7_000))
    storage = former + device["device.storage-9.p_w"]
    head = np.where(island, 0.0, gap - storage + 900)
    stress = (total_pv - total_load) / 60_000
    for rank, name in enumerate(BUSES):
        droop = np.where(island, 0.004, 0.021 * rank / 13)
        columns[f"bus.{name}.v_pu"] = 1.012 + droop * stress * 1.6 - 0.0015 * (rank % 3)
    columns |= device | loads
    for pack, inverter, start in zip(PACKS, STORAGES, (0.62, 0.41), strict=True):
        p_w = device[f"device.{inverter}.p_w"]
        soc = start - np.cumsum(p_w * columns["dt_s"]) / 3.6e6 / 60
        limit = np.where((pack == "pack-9") & (t_s > 4_500) & (t_s < 5_600), 20.0, 100.0)
        columns[f"pack.{pack}.soc"] = np.clip(soc, 0.05, 0.98)
        columns[f"pack.{pack}.charge_limit_a"] = limit
        columns[f"pack.{pack}.discharge_limit_a"] = np.full(len(t_s), 120.0)
        columns[f"pack.{pack}.i_a"] = np.clip(p_w / 410, -limit, 120)
    columns["feeder.head_p_w"] = head
    columns["feeder.losses_w"] = 300 + 2e-7 * head**2
    columns["feeder.trafo_loading_percent"] = np.abs(head) / 1_600 * 3.1
    columns["grid.f_hz"] = np.where(island, 50 - gap / 30_000 * 0.5, 50.0)
    columns["grid.island"] = island.astype(float)
    columns["tick.lateness_s"] = np.zeros(len(t_s))
    return columns


def _island() -> dict[str, np.ndarray]:
    parts = []
    for index, (start_s, stop_s) in enumerate(zip(OPENINGS_S, CLOSINGS_S, strict=True)):
        near = np.arange(-0.5, 10.0, 0.001)
        far = np.arange(10.0, stop_s - start_s, 1.0)
        since = np.concatenate((near, far))
        sign = -1 if index == 0 else 1
        after = np.clip(since, 0, None)
        swing = 1.05 * np.exp(-after / 0.55) * np.sin(2 * math.pi * 0.8 * after)
        rest = 0.28 * (1 - np.exp(-after / 0.6)) * np.where(after > 60, 0.6, 1.0)
        v_dip = -0.07 * np.exp(-after / 0.12) * (after > 0) * (1 + 0.4 * np.cos(40 * after))
        parts.append(
            np.vstack((since + start_s, 50 + sign * (swing + rest), 1.01 - sign * -v_dip,
                       np.full(len(since), float(index))))
        )  # fmt: skip
    columns = np.hstack(parts)
    return dict(zip(("t_s", "f_hz", "v_pu", "opening"), columns, strict=True))


def _events() -> list[dict[str, object]]:
    events: list[dict[str, object]] = [
        {"t_s": 0.0, "device": "", "kind": "run.started", "text": "all devices identified"},
        {"t_s": 4_500.0, "device": "pack-9", "kind": "bms.limit", "charge_a": 20.0,
         "before_a": 100.0},
        {"t_s": 4_500.0, "device": "storage-9", "kind": "setpoint.ramped", "p_w": -3_200.0},
        {"t_s": 6_300.0, "device": "", "kind": "pcc.opened", "p_balance_w": -21_400.0},
        {"t_s": 6_300.081, "device": "storage-5", "kind": "island.formed", "f_hz": 49.31},
        {"t_s": 6_300.12, "device": "", "kind": "load.shed", "stage": 1, "p_w": 9_800.0},
        {"t_s": 6_300.34, "device": "", "kind": "load.shed", "stage": 2, "p_w": 7_150.0},
        {"t_s": 8_994.6, "device": "storage-5", "kind": "sync.reached", "df_hz": 0.04,
         "dv_pu": 0.006, "dtheta_deg": 3.1},
        {"t_s": 9_000.0, "device": "", "kind": "pcc.closed"},
        {"t_s": 10_800.0, "device": "", "kind": "pcc.opened", "p_balance_w": 18_900.0},
        {"t_s": 10_800.2, "device": "pv-3", "kind": "pv.throttled", "p_w": 13_100.0},
        {"t_s": 13_200.0, "device": "", "kind": "pcc.closed"},
    ]  # fmt: skip
    for period in range(16):
        for name in ("meter-head", *STORAGES):
            t_s = float((period + 1) * PERIOD_S)
            events.append({"t_s": t_s, "device": name, "kind": "reading.signed", "period": period})
    return events


def _readings() -> list[ReadingRow]:
    rows = []
    for period in range(16):
        for n in range(20):
            meter = "meter-head" if n == 0 else f"meter-{n}"
            payload = f'{{"FV":"1.4","GI":"gridrig","PG":"T{period}","MS":"{meter}"}}'
            record = f'OCMF|{payload}|{{"SD":"30450220"}}'.encode()
            outcome, message = "verified", ""
            if (period, n) == (3, 4):
                outcome = "metering.signature_false"
                message = "signature is not right for serial GRME0003 <script>alert(1)</script>"
                record = record.replace(b"T3", b"T\xff")
            if (period, n) == (9, 7):
                outcome, message = "metering.replayed", "pagination T8 was already settled"
            digest = hashlib.sha256(payload.encode()).hexdigest() if outcome == "verified" else ""
            rows.append(ReadingRow(period, meter, record, outcome, message, digest))
    return rows


def _add_market(run: RunDirectory) -> None:
    random = Random(1)
    orders, trades, clearing, entries, energy = [], [], [], [], []
    balance: dict[str, int] = dict.fromkeys(("grid", *HOUSES, *INVERTERS, *STORAGES, "losses"), 0)
    for period in range(16):
        start_s = period * PERIOD_S
        island = bool(_is_island(np.array([float(start_s)]))[0])
        sunny = start_s < 6_300 or start_s > 10_500
        price = 110_000 + 1_000 * random.randrange(40) + (0 if sunny else 130_000)
        sellers = list(INVERTERS if sunny else STORAGES) + ([] if island else ["grid"])
        need = {name: 1_000 * random.randrange(350, 1_400) for name in HOUSES}
        total = sum(need.values())
        shares = [total // len(sellers) // 1_000 * 1_000] * len(sellers)
        shares[-1] += total - sum(shares)
        filled = [(name, "bid", amount) for name, amount in need.items()]
        filled += [(n, "offer", a) for n, a in zip(sellers, shares, strict=True)]
        for name, side, amount in filled:
            order_id = len(orders) + 1
            own_price = price + (20_000 if side == "bid" else -20_000)
            orders.append(OrderRow(period, order_id, name, side, amount, own_price))
            trades.append(TradeRow(period, len(trades) + 1, order_id, name, side, amount, price))
            paid = amount * price // 1_000_000
            debit, credit = (name, "clearing") if side == "bid" else ("clearing", name)
            entries.append(
                EntryRow(len(entries) + 1, period, "delivery", debit, credit, paid, amount, price,
                         len(trades), f"meter-{name}", bytes([period]) * 32, bytes([1]) * 32)
            )  # fmt: skip
            balance[name] += -paid if side == "bid" else paid
        lost = 180_000 + random.randrange(60_000)
        fee = lost * 400_000 // 1_000_000
        entries.append(
            EntryRow(len(entries) + 1, period, "losses", "losses", "clearing", fee, lost, 400_000)
        )
        balance["losses"] -= fee
        orders.append(OrderRow(period, len(orders) + 1, "house-2", "bid", 0, 1, "market.lot"))
        clearing.append(ClearingRow(period, START_UTC_S + start_s, price, total, island))
        energy.append(
            EnergyRow(period, 0 if island else 9_000_000, 0 if island else 1_250_000, lost,
                      lost + random.uniform(-6, 6), 21)
        )  # fmt: skip
    balance["clearing"] = -sum(balance.values())
    run.add_orders(orders)
    run.add_trades(trades)
    run.add_clearing(clearing)
    run.add_entries(entries)
    run.add_energy(energy)
    run.add_balances(BalanceRow(account, amount) for account, amount in balance.items())


def _verdicts(
    trace: dict[str, np.ndarray], trip_time_s: float, *, left_unsafe: bool
) -> RunVerdicts:
    volts = np.vstack([trace[f"bus.{name}.v_pu"] for name in BUSES])
    cases = [
        (Criterion("island_formed_s", "s", max=2.0, source="IEEE 1547-2018 8.1, event 1"), 0.081,
         0.001),
        (Criterion("trip_time_s", "s", max=2.0, source="IEEE 1547-2018 8.1"), trip_time_s, 0.002),
        (Criterion("voltage_max_pu", "pu", max=1.1, source="EN 50160 4.2.2"), float(volts.max()),
         0.005),
        (Criterion("voltage_min_pu", "pu", min=0.9, source="EN 50160 4.2.2"), float(volts.min()),
         0.005),
        (Criterion("frequency_nadir_hz", "Hz", min=47.5, max=51.5, source="EN 50549-1 4.4.2"),
         49.083, 0.01),
        (Criterion("frequency_steady_hz", "Hz", min=49.5, max=50.3, source="scenario"), 50.295,
         0.01),
        (Criterion("losses_difference_milliwh", "mWh", max=21, source="(meters + 1) x resolution"),
         5.93, 0.0),
        (Criterion("money_sum_micro", "millionths", min=0, max=0, source="conservation"), 0, 0.0),
        (Criterion("payments_without_reading", "1", max=0, source="scenario"), 0, 0.0),
    ]  # fmt: skip
    measured = [Measurement(c.name, c.unit, value, spread) for c, value, spread in cases]
    ends = {name: "safe: connect = false, p_w = 0" for name in (*INVERTERS, *STORAGES)}
    ends |= dict.fromkeys(PACKS, "safe: charge and discharge off")
    unsafe = ("pv-11",) if left_unsafe else ()
    ends |= dict.fromkeys(unsafe, "unreachable: timeout after 3 tries; last known p_w = 9 100")
    return RunVerdicts(
        "Sunny afternoon, then storm",
        judge_all([case[0] for case in cases], measured),
        devices_end=ends,
        left_unsafe=unsafe,
        findings=(
            "The 160 kVA transformer was loaded beyond its rating for 22 min around 13:00.",
            "One reading of meter-4 had a false signature and was not settled (period 3).",
        ),
    )
