"""The functions of an inverter beside EPRI's OpenDER; every difference is here, with its reason."""

import numpy as np
import pytest
from opender_pair import RATED_W, Outputs, Pair, Stage

ON = "ENABLED"
QUIET: dict[str, object] = {"droop": False}
NO_DROOP: dict[str, object] = {"PF_MODE_ENABLE": "DISABLED"}
SETTLED = 1e-5


def half_a_step(span_pu: float, response_s: float, step_s: float) -> float:
    """Return what half a step of delay is worth at the steepest point of a first-order lag."""
    return 1.05 * span_pu * np.log(10) / response_s * 0.5 * step_s


def differences(found: Outputs) -> np.ndarray:
    return np.abs(found.ours - found.theirs).max(axis=0)


VOLT_VAR = {
    "B": ([0.92, 0.98, 1.02, 1.08], [0.44, 0.0, 0.0, -0.44], 5.0),
    "A": ([0.90, 1.00, 1.00, 1.10], [0.25, 0.0, 0.0, -0.25], 10.0),
    "aggressive": ([0.98, 1.00, 1.00, 1.02], [0.44, 0.0, 0.0, -0.44], 1.0),
}


def volt_var_of(v: list[float], q: list[float], response_s: float) -> dict[str, object]:
    points = {f"QV_CURVE_V{n}": x for n, x in enumerate(v, 1)}
    points |= {f"QV_CURVE_Q{n}": x for n, x in enumerate(q, 1)}
    return {"QV_MODE_ENABLE": ON, "QV_OLRT": response_s, **points, **NO_DROOP}


@pytest.mark.parametrize("name", VOLT_VAR)
@pytest.mark.parametrize("vref_pu", [1.0, 0.96])
def test_volt_var_follows_its_curve_with_its_response(name, vref_pu):
    v, q, response_s = VOLT_VAR[name]
    pair = Pair(
        {
            "reactive_mode": "volt_var",
            "volt_var_v_pu": v,
            "volt_var_q_pu": q,
            "volt_var_response_s": response_s,
            "volt_var_vref_pu": vref_pu,
            **QUIET,
        },
        {**volt_var_of(v, q, response_s), "QV_VREF": vref_pu},
        step_s=response_s / 100,
    )
    sweep = (1.0, 1.03, 1.07, 1.09, 0.97, 0.93, 0.89, 1.01)
    found = pair.run(*(Stage(1.2 * response_s, v_pu=v_pu, p_pu=0.7) for v_pu in sweep))
    assert differences(found).max() < half_a_step(q[0] - q[-1], response_s, pair.step_s)
    assert np.ptp(found.ours[:, 1]) > 0.4  # the sweep did cover the curve


def test_a_reference_voltage_that_follows_forgets_a_lasting_deviation():
    v, q, _ = VOLT_VAR["B"]
    pair = Pair(
        {
            "reactive_mode": "volt_var",
            "volt_var_vref_auto": True,
            "volt_var_vref_s": 30.0,
            **QUIET,
        },
        {**volt_var_of(v, q, 5.0), "QV_VREF_AUTO_MODE": ON, "QV_VREF_TIME": 30.0},
        step_s=0.1,
    )
    found = pair.run(Stage(5.0, p_pu=0.5), Stage(200.0, v_pu=1.04, p_pu=0.5))
    assert differences(found).max() < half_a_step(0.44 / 3, 5.0, pair.step_s)
    assert found.ours[:, 1].min() < -0.1
    assert abs(found.ours[-1, 1]) < 1e-3


@pytest.mark.parametrize("response_s", [0.5, 10.0])
def test_volt_watt_at_full_power_follows_its_curve_with_its_response(response_s):
    pair = Pair(
        {"volt_watt": True, "volt_watt_response_s": response_s, **QUIET},
        {"PV_MODE_ENABLE": ON, "PV_CURVE_P2": 0.2, "PV_OLRT": response_s, **NO_DROOP},
        step_s=response_s / 100,
    )
    sweep = (1.05, 1.08, 1.095, 1.07, 1.0)
    found = pair.run(*(Stage(3 * response_s, v_pu=v_pu) for v_pu in sweep))
    assert differences(found)[0] < half_a_step(0.8, response_s, pair.step_s)
    assert found.ours[:, 0].min() < 0.31


def test_volt_watt_below_full_power_responds_at_once_and_theirs_waits_for_its_ceiling():
    """OpenDER lags a ceiling that begins at 1, so 0.6 pu is not cut until it has come down to it.

    Ours begins at the power that is cut: its response is the one the standard's test measures.
    """
    pair = Pair(
        {"volt_watt": True, **QUIET},
        {"PV_MODE_ENABLE": ON, "PV_CURVE_P2": 0.2, "PV_OLRT": 10.0, **NO_DROOP},
        step_s=0.1,
    )
    found = pair.run(Stage(1.0, p_pu=0.6), Stage(40.0, v_pu=1.09, p_pu=0.6))
    after_s = found.t_s - 1.0
    open_loop = 0.4 + 0.2 * 0.1 ** (after_s / 10.0)
    assert found.ours[after_s > 0, 0] == pytest.approx(open_loop[after_s > 0], abs=1e-6)
    assert (found.theirs[(after_s > 0) & (after_s < 2.0), 0] > 0.599).all()
    assert found.ours[-1, 0] == pytest.approx(found.theirs[-1, 0], abs=1e-4)


@pytest.mark.parametrize(
    ("ours", "theirs", "q_of"),
    [
        (
            {"reactive_mode": "power_factor", "power_factor": 0.92},
            {"CONST_PF_MODE_ENABLE": ON, "CONST_PF": 0.92, "CONST_PF_EXCITATION": "INJ"},
            lambda p: p * np.tan(np.arccos(0.92)),
        ),
        (
            {
                "reactive_mode": "power_factor",
                "power_factor": 0.95,
                "power_factor_excitation": "absorbing",
            },
            {"CONST_PF_MODE_ENABLE": ON, "CONST_PF": 0.95, "CONST_PF_EXCITATION": "ABS"},
            lambda p: -p * np.tan(np.arccos(0.95)),
        ),
        (
            {"reactive_mode": "constant", "constant_q_pu": -0.3},
            {"CONST_Q_MODE_ENABLE": ON, "CONST_Q": -0.3},
            lambda p: -0.3,
        ),
        (
            {"reactive_mode": "watt_var", "watt_var_response_s": 5.0},
            {"QP_MODE_ENABLE": ON},
            lambda p: -0.44 * max(0.0, (p - 0.5) / 0.5),
        ),
    ],
)
def test_power_factor_constant_and_watt_var_agree(ours, theirs, q_of):
    pair = Pair({"reactive_response_s": 5.0, **ours, **QUIET}, {**theirs, **NO_DROOP}, step_s=0.25)
    for p_pu in (0.3, 0.8, 0.6, 0.25):
        found = pair.run(Stage(40.0, p_pu=p_pu))
        # Theirs takes the desired power of the present step, ours what it gave in the last one.
        assert differences(found).max() < 2 * half_a_step(0.44, 5.0, pair.step_s)
        assert found.ours[-1, 1] == pytest.approx(q_of(p_pu), abs=SETTLED)


@pytest.mark.parametrize("sweep", [(61.0, 60.5, 60.0), (59.2, 59.7, 60.0), (60.03, 59.97)])
def test_frequency_droop_starts_at_the_power_before_and_comes_back_with_its_response(sweep):
    pair = Pair({}, {}, step_s=0.1)
    stages = [Stage(25.0, f_hz=f_hz, p_pu=0.9) for f_hz in sweep]
    # A limit below what is available leaves room for under-frequency to raise the power.
    pair.world.set_limit_w(pair.pv, 50e3)
    pair.der.der_file.AP_LIMIT_ENABLE = ON
    pair.der.der_file.AP_LIMIT = 0.5
    found = pair.run(Stage(2.0, p_pu=0.9), *stages)
    assert differences(found).max() < half_a_step(0.5, 5.0, pair.step_s)
    moved = np.ptp(found.ours[:, 0])
    assert moved < 1e-9 if max(abs(f - 60.0) for f in sweep) < 0.036 else moved > 0.2


def limited(pair: Pair, p_pu: float, seconds: float) -> Outputs:
    """Write a limit to both and let them run at full sun."""
    pair.world.set_limit_w(pair.pv, p_pu * RATED_W)
    pair.der.der_file.AP_LIMIT = p_pu
    return pair.run(Stage(seconds))


def test_a_limit_is_kept_to_and_goes_below_volt_watt_or_above_it():
    curve = {"volt_watt_v_pu": [1.02, 1.08], "volt_watt_p_pu": [1.0, 0.4]}
    theirs = {"PV_CURVE_V1": 1.02, "PV_CURVE_V2": 1.08, "PV_CURVE_P1": 1.0, "PV_CURVE_P2": 0.4}
    pair = Pair(
        {"volt_watt": True, "volt_watt_response_s": 0.5, **curve, **QUIET},
        {"AP_LIMIT_ENABLE": ON, "PV_MODE_ENABLE": ON, "PV_OLRT": 0.5, **theirs, **NO_DROOP},
    )
    for p_pu in (1.0, 0.3, 0.75, 0.0, 0.9):
        found = limited(pair, p_pu, 1.0)
        assert found.ours[-1, 0] == pytest.approx(p_pu, abs=SETTLED)
        assert found.theirs[-1, 0] == pytest.approx(p_pu, abs=SETTLED)
    for v_pu, p_pu in ((1.06, 0.6), (1.03, 0.9)):  # the lower of both rules
        found = pair.run(Stage(3.0, v_pu=v_pu))
        assert found.ours[-1, 0] == pytest.approx(p_pu, abs=SETTLED)
        assert found.theirs[-1, 0] == pytest.approx(p_pu, abs=SETTLED)


@pytest.mark.parametrize("ramp_s", [2.0, 10.0])
def test_a_ramp_to_a_limit_is_as_long(ramp_s):
    """OpenDER's response to a limit is a ramp over its AP_RT; ours is that with `ramp_w_per_s`."""
    pair = Pair(
        {"ramp_w_per_s": RATED_W / ramp_s, **QUIET},
        {"AP_LIMIT_ENABLE": ON, "AP_RT": ramp_s, "NP_REACT_TIME": 0.0, **NO_DROOP},
    )
    limited(pair, 1.0, 1.0)
    for p_pu in (0.2, 0.9):
        found = limited(pair, p_pu, 1.2 * ramp_s)
        assert differences(found)[0] < 2.1 * pair.step_s / ramp_s
        assert found.ours[-1, 0] == pytest.approx(p_pu, abs=SETTLED)


def test_the_priority_test_of_1547_1_ends_at_its_published_powers():
    pair = Pair(
        {"volt_watt": True, "volt_watt_response_s": 1.0, "droop_response_s": 1.0},
        {"PV_MODE_ENABLE": ON, "PV_CURVE_P2": 0.2, "PV_OLRT": 1.0, "PF_OLRT": 1.0},
        step_s=0.1,
    )
    pair.world.set_limit_w(pair.pv, 50e3)
    pair.der.der_file.AP_LIMIT_ENABLE = ON
    pair.der.der_file.AP_LIMIT = 0.5
    # Sandia's p1547.py, steps of the active-power half: voltage, frequency, expected power.
    for v_pu, f_hz, p_pu in (
        (1.00, 60.00, 0.5),
        (1.09, 60.00, 0.4),
        (1.09, 60.33, 0.3),
        (1.09, 60.00, 0.4),
        (1.09, 59.36, 0.4),
        (1.00, 59.36, 0.6),
        (1.00, 60.00, 0.5),
        (1.00, 59.36, 0.7),
    ):
        found = pair.run(Stage(8.0, v_pu=v_pu, f_hz=f_hz))
        assert found.ours[-1, 0] == pytest.approx(p_pu, abs=3e-3), (v_pu, f_hz)
        assert found.theirs[-1, 0] == pytest.approx(p_pu, abs=3e-3), (v_pu, f_hz)


@pytest.mark.parametrize("p_pu", [1.0, 0.95, 0.5, 0.1, 0.03])
@pytest.mark.parametrize("q_pu", [0.44, -0.44, 0.2])
def test_the_rating_gives_way_in_active_power_first(p_pu, q_pu):
    pair = Pair(
        {"reactive_mode": "constant", "constant_q_pu": q_pu, **QUIET},
        {"CONST_Q_MODE_ENABLE": ON, "CONST_Q": q_pu, **NO_DROOP},
        step_s=0.5,
    )
    found = pair.run(Stage(60.0, p_pu=p_pu))
    assert found.ours[-1] == pytest.approx(found.theirs[-1], abs=1e-5)
    assert np.hypot(*found.ours[-1]) <= 1.0 + 1e-12


def test_required_reactive_power_does_not_raise_active_power_above_what_is_asked_for():
    """OpenDER's equation 3.9.1-7 gives sqrt(S^2 - Q^2) even when less is desired; ours does not."""
    curve = {
        "P_Q_INJ_PU": [0.0, 1.0],
        "Q_MAX_INJ_PU": [0.8, 0.8],
        "P_Q_ABS_PU": [0.0, 1.0],
        "Q_MAX_ABS_PU": [0.8, 0.8],
    }
    pair = Pair(
        {
            "reactive_mode": "constant",
            "constant_q_pu": 0.75,
            "priority": "required_reactive",
            "q_inject_max_pu": 0.8,
            **QUIET,
        },
        {
            "CONST_Q_MODE_ENABLE": ON,
            "CONST_Q": 0.75,
            "NP_PRIO_OUTSIDE_MIN_Q_REQ": "ACTIVE",
            "NP_Q_CAPABILITY_BY_P_CURVE": curve,
            **NO_DROOP,
        },
        step_s=0.5,
    )
    found = pair.run(Stage(60.0, p_pu=0.8))
    assert found.ours[-1] == pytest.approx([0.8, 0.6], abs=1e-6)
    assert found.theirs[-1] == pytest.approx([np.sqrt(1 - 0.44**2), 0.44], abs=1e-6)
    found = pair.run(Stage(60.0, p_pu=1.0))
    assert found.ours[-1] == pytest.approx([np.sqrt(1 - 0.44**2), 0.44], abs=1e-6)
    assert found.ours[-1] == pytest.approx(found.theirs[-1], abs=1e-6)


CATEGORY = {"III": "CAT_III", "II": "CAT_II", "I": "CAT_I"}
TRIPS = {
    "III": {"OV1": 13.0, "UV1": 21.0, "UV2": 2.0, "UV1_V": 0.88, "UV2_V": 0.5},
    "II": {"OV1": 2.0, "UV1": 10.0, "UV2": 0.16, "UV1_V": 0.7, "UV2_V": 0.45},
    "I": {"OV1": 2.0, "UV1": 2.0, "UV2": 0.16, "UV1_V": 0.7, "UV2_V": 0.45},
}


@pytest.mark.parametrize("category", CATEGORY)
@pytest.mark.parametrize(
    ("v_pu", "f_hz"),
    [(1.21, 60.0), (1.15, 60.0), (0.6, 60.0), (0.3, 60.0), (1.0, 62.5), (1.0, 56.0)],
)
def test_a_must_trip_comes_in_the_same_step(category, v_pu, f_hz):
    rules = TRIPS[category]
    pair = Pair(
        {"category": category},
        {
            "NP_ABNORMAL_OP_CAT": CATEGORY[category],
            "OV1_TRIP_T": rules["OV1"],
            "UV1_TRIP_T": rules["UV1"],
            "UV1_TRIP_V": rules["UV1_V"],
            "UV2_TRIP_T": rules["UV2"],
            "UV2_TRIP_V": rules["UV2_V"],
        },
        step_s=0.08,
    )
    pair.run(Stage(1.0))
    found = pair.run(Stage(25.0, v_pu=v_pu, f_hz=f_hz))
    (event,) = [e for e in pair.world.take_events() if e[1] == "tripped"]
    tripped_s = found.t_s[found.theirs[:, 0] == 0.0]
    assert pair.der.der_status == "Trip"
    status = pair.world.terminal(pair.pv).status
    assert status == "tripped"
    if v_pu == 1.0 or (category != "III" and 0.5 <= v_pu <= 1.2):
        # Their output is zero earlier where they cease momentarily or to energise.
        assert event[0] - 1.0 == pytest.approx(tripped_s[0], abs=1.01 * pair.step_s)


def test_momentary_cessation_and_the_way_back_agree():
    pair = Pair({**QUIET, "cessation_restore_s": 0.0}, {"MC_RESP_T": 0.083, **NO_DROOP})
    pair.run(Stage(1.0))
    found = pair.run(Stage(0.8, v_pu=0.3), Stage(1.0))
    ceased = [found.t_s[side[:, 0] == 0.0] for side in (found.ours, found.theirs)]
    # After 0.083 s, in steps of 0.02 s; their delay begins to count a step later.
    assert ceased[0][0] == pytest.approx(0.1)
    assert ceased[1][0] == pytest.approx(ceased[0][0], abs=2.01 * pair.step_s)
    assert ceased[1][-1] == pytest.approx(ceased[0][-1], abs=2.01 * pair.step_s)
    assert found.ours[-1] == pytest.approx(found.theirs[-1], abs=1e-6)
    assert pair.world.terminal(pair.pv).trip_cause is None


def test_entering_service_waits_and_ramps_alike():
    times = {"enter_service_delay_s": 30.0, "enter_service_ramp_s": 50.0}
    pair = Pair(
        {**QUIET, **times}, {"ES_DELAY": 30.0, "ES_RAMP_RATE": 50.0, **NO_DROOP}, step_s=0.1
    )
    pair.run(Stage(1.0), Stage(1.0, v_pu=1.25))
    # An excursion of one step begins the wait anew.
    found = pair.run(
        Stage(20.0, v_pu=1.0), Stage(0.1, v_pu=1.06), Stage(29.0), Stage(1.2), Stage(60.0)
    )
    began = [found.t_s[side[:, 0] > 0.0][0] for side in (found.ours, found.theirs)]
    assert began[0] == pytest.approx(50.1, abs=0.3)
    assert began[1] == pytest.approx(began[0], abs=2.01 * pair.step_s)
    ramping = (found.t_s > 55.0) & (found.t_s < 95.0)
    assert found.ours[ramping, 0] == pytest.approx(found.theirs[ramping, 0], abs=0.01)
    assert found.ours[-1, 0] == pytest.approx(1.0)
