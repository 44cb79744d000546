"""`gridrig certificates` and `gridrig bills` on what a run leaves behind."""

import json
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest
from meters import QUARTER_S, T0

from gridrig._core import MeterPeriod, Verifier
from gridrig.campaign.builtin import RIGS
from gridrig.cli import main
from gridrig.metering import OcmfSigner, enrol_all, load_keys
from gridrig.settlement import Journal, SettlementRules, settle_period

RIG = RIGS / "emulated-street.toml"
METER_OF = {"house-1": "meter-bus-1", "solar-1": "meter-pv-1", "grid": "meter-head"}
# Import and export of each register at three readings, a quarter of an hour apart. [mWh]
REGISTERS = {
    "house-1": [(0, 0), (400_000, 0), (1_000_000, 0)],
    "solar-1": [(0, 7_000), (0, 307_600), (0, 608_300)],
    "grid": [(0, 0), (0, 100_000), (0, 400_000)],
}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run directory in the parts that matter here, signed by the meters of the rig."""
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "rig.toml").write_bytes(RIG.read_bytes())
    devices = {d["name"]: d.get("emulate") for d in tomllib.loads(RIG.read_text())["device"]}
    verifier = Verifier()
    enrol_all(verifier, load_keys(RIG))
    readings, lines = {}, []
    for name, meter in METER_OF.items():
        emulate = devices[meter]
        signer = OcmfSigner.from_seed(emulate["seed"], meter, emulate["serial"])
        records = [
            signer.sign(n + 1, T0 + QUARTER_S * n, *registers)
            for n, registers in enumerate(REGISTERS[name])
        ]
        readings[name] = [verifier.verify(record, at_s=2**40) for record in records]
        lines += [
            {"meter": meter, "record": record.decode(), "outcome": "verified", "digest": d}
            for record, d in zip(records, [one.digest.hex() for one in readings[name]], strict=True)
        ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "readings.jsonl").write_text(text)
    rules = SettlementRules(long_price_micro_per_kwh=100_000, short_price_micro_per_kwh=200_000)
    parts = {name: [MeterPeriod(name, *pair) for pair in pairwise(readings[name])]
             for name in METER_OF}  # fmt: skip
    with Journal(folder / "journal.sqlite") as journal:
        for period in (0, 1):
            head = parts["grid"][period]
            settled = settle_period(
                period,
                [parts["house-1"][period], parts["solar-1"][period]],
                [],
                from_ms=head.from_ms,
                to_ms=head.to_ms,
                rules=rules,
                head=head,
            )
            journal.post(settled)
    return folder


def test_certificates_are_minted_from_a_run_listed_moved_and_retired(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    register = tmp_path / "certificates.db"

    def certificates(*arguments: object, code: int = 0) -> str:
        command = ["certificates", *map(str, arguments), "--register", str(register)]
        assert main(command) == code
        return capsys.readouterr().out

    certificates("list", code=2)  # a register that is not there is not made by looking
    minted = [json.loads(line) for line in certificates("mint", run).splitlines()]
    assert [(c["holder"], c["meter"], c["energy_wh"]) for c in minted] == [
        ("solar-1", "meter-pv-1", 300),
        ("solar-1", "meter-pv-1", 301),
    ]
    assert (minted[0]["from_s"], minted[1]["to_s"]) == (T0, T0 + 2 * QUARTER_S)
    # The same run again mints nothing more; another issuer is refused, with both named.
    certificates("mint", run)
    assert certificates("mint", run, "--issuer", "another", code=1) == ""
    number = minted[0]["certificate"]
    lot = (number, "--holder", "solar-1")
    moved = certificates("transfer", *lot, "--to", "house-1", "--wh", 100)
    assert moved.split() == [
        *(str(number), "0", "+", "100", "Wh", "house-1", "held"),
        *(str(T0), "to", str(T0 + QUARTER_S), "s"),
    ]
    used = certificates("retire", number, "--holder", "house-1", "--wh", 60, "--purpose", "tea")
    assert "0 + 60 Wh  house-1  retired for 'tea' in the name of house-1" in used
    certificates("retire", *lot, "--wh", 1, "--purpose", "mine no more", code=2)
    listed = json.loads(certificates("list", "--json"))
    assert listed["supply"] == {
        "minted_wh": 601,
        "held_wh": 541,
        "retired_wh": 60,
        "moved_wh": 0,
        "frozen_wh": 0,
        "unbacked_wh": 0,
    }
    assert [lot["beneficiary"] for lot in listed["lots"]] == ["house-1", None, None, None]
    assert "60 Wh  house-1  retired" in certificates("list")


def test_a_forged_reading_of_a_run_certifies_nothing(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = run / "readings.jsonl"
    path.write_text(path.read_text().replace("608.300", "908.300"))
    register = tmp_path / "certificates.db"
    assert main(["certificates", "mint", str(run), "--register", str(register)]) == 0
    out, err = capsys.readouterr()
    assert [json.loads(line)["energy_wh"] for line in out.splitlines()] == [300]
    assert "metering.signature" in err


def received(run: Path, meter: str, record: bytes) -> None:
    """Let a run receive one record more."""
    line = {"meter": meter, "record": record.decode(), "outcome": "verified", "digest": ""}
    with (run / "readings.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")


def test_what_a_contradicted_reading_certified_is_frozen(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["certificates", "mint", str(run), "--register", str(tmp_path / "certificates.db")]
    assert main(command) == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    device = next(d for d in tomllib.loads(RIG.read_text())["device"] if d["name"] == "meter-pv-1")
    emulate = device["emulate"]
    signer = OcmfSigner.from_seed(emulate["seed"], "meter-pv-1", emulate["serial"])
    # Another reading under the counter of the last one: nobody knows which of the two is true.
    received(run, "meter-pv-1", signer.sign(3, T0 + 2 * QUARTER_S, 0, 999_000))
    assert main(command) == 1
    out, err = capsys.readouterr()
    assert [json.loads(line)["certificate"] for line in out.splitlines()] == [first["certificate"]]
    assert f"under counter 3; certificates frozen: {second['certificate']}" in err
    assert main(["certificates", "list", "--json", *command[3:]]) == 0
    supply = json.loads(capsys.readouterr().out)["supply"]
    assert (supply["held_wh"], supply["frozen_wh"]) == (300, 301)
    assert main(command) == 0, "nothing is left to freeze"


def test_a_meter_exchanged_between_runs_is_certified_on_the_same_connection_point(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["certificates", "mint", str(run), "--register", str(tmp_path / "certificates.db")]
    assert main(command) == 0
    before = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    old = OcmfSigner.from_seed(201, "meter-pv-1", "GR-0201").public_key_der.hex()
    signer = OcmfSigner.from_seed(209, "meter-pv-1", "GR-0999")
    rig = (run / "rig.toml").read_text()
    changed = rig.replace("seed = 201", "seed = 209").replace("GR-0201", "GR-0999")
    (run / "rig.toml").write_text(changed.replace(old, signer.public_key_der.hex()))
    # Counter and register begin anew, the one at 1, the other at 2 Wh.
    (run / "readings.jsonl").write_text("")
    for n, export in enumerate((2_000, 52_900)):
        time_s = T0 + (2 + n) * QUARTER_S
        received(run, "meter-pv-1", signer.sign(n + 1, time_s, 0, export))
    assert main(command) == 0
    (after,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (after["energy_wh"], after["asset"]) == (50, before[0]["asset"])
    assert after["from_s"] == before[1]["to_s"]


def test_bills_of_a_run_count_who_loses(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tariff = tmp_path / "tariff.toml"
    tariff.write_text(
        "[utility]\nimport_micro_per_kwh = 150000\nexport_micro_per_kwh = 80000\n"
        "network_micro_per_kwh = 70000\n[market]\nnetwork_micro_per_kwh = 70000\n"
    )
    command = ["bills", str(run), "--tariff", str(tariff)]
    assert main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    # 1 kWh at the short price, 0.2, against 0.15; 0.6013 kWh at the long one, 0.1, against 0.08.
    assert [(b["participant"], b["market_micro"], b["utility_micro"]) for b in found["bills"]] == [
        ("house-1", 270_000, 220_000),
        ("solar-1", -60_130, -48_104),
    ]
    assert (found["losers"], found["saved_micro"]) == (["house-1"], -50_000 + 12_026)
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "1 of 2 pay more in the market than a utility alone" in shown
    assert "house-1 loses 0.0500" in shown
    assert main(["bills", str(tmp_path), "--tariff", str(tariff)]) == 2
    tariff.write_text("[utility]\n")
    assert main(command) == 2


def test_a_vault_earns_what_its_sites_signed_and_a_book_names_all_its_faults(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book = tmp_path / "vault.toml"
    book.write_text(
        "[vault]\nprice_micro_per_kwh = 83_217\nfee_permille = 15\n"
        "[deposits]\nann = 2_000_003\nben = 1_000_000\n[sites]\nmeter-pv-1 = 1_500_000\n"
    )
    assert main(["vault", str(run), "--book", str(book), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    # Two quarters: 300,600 and 300,700 mWh, half up; fees of each rounded down.
    dues = [25_015, 25_023]
    fees = [375, 375]
    assert found["earned_micro"] == {"meter-pv-1": sum(dues) - sum(fees)}
    assert found["assets_micro"] == 3_000_003 + sum(dues) - sum(fees)
    assert found["worth_micro"]["ann"] == 2_000_003 * found["assets_micro"] // 3_000_003
    assert main(["vault", str(run), "--book", str(book)]) == 0
    assert "ann holds 2000003 shares" in capsys.readouterr().out
    book.write_text("[vault]\nfee = 3\n[deposits]\nann = 0\n[sites]\nmeter-pv-x = 1\n")
    assert main(["vault", str(run), "--book", str(book)]) == 2
    said = capsys.readouterr().err
    for place in ("vault.price_micro_per_kwh", "vault.fee", "deposits.ann", "sites.meter-pv-x"):
        assert place in said
