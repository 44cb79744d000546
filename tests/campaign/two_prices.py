"""The scenario of two networks with a price each, and how the main grid stands in a station."""

from gridrig.campaign.builtin import RIGS, SCENARIOS

SCENARIO, RIG = SCENARIOS / "promise-1-zones.toml", RIGS / "region-50hz.toml"
WIRED = {
    'main_grid = "grid"': """[[market.network.zone]]
name = "station"
participants = ["grid"]
""",
    "limit_milliwh = 2000000": "limit_milliwh = 0",
    'between = ["grid", "hill"]': 'between = ["station", "hill"]',
    'between = ["grid", "valley"]': 'between = ["station", "valley"]\nlimit_milliwh = 3000000',
}


def wired(listed: str = '["grid"]') -> str:
    """Return the scenario with wires over a station, in which there are those listed."""
    text = SCENARIO.read_text()
    for old, new in WIRED.items():
        assert old in text
        text = text.replace(old, new.replace('["grid"]', listed), 1)
    return text
