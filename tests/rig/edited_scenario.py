"""A scenario file of gridrig's, edited, and what is said of it."""

import pytest

from gridrig.campaign.scenario import Scenario, describe_scenario
from gridrig.errors import RigError
from gridrig.rig.toml_file import parse_toml


def described(text: str, *edits: tuple[str, str]) -> Scenario:
    """Read a scenario after edits, each of which has to find its text."""
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    return describe_scenario(parse_toml(text.encode(), "s.toml"))


def issues(text: str, *edits: tuple[str, str]) -> list[tuple[str, str, str]]:
    """Return key, found and expected of each issue of a scenario after edits."""
    with pytest.raises(RigError) as caught:
        described(text, *edits)
    return [(one.key, one.found, one.expected) for one in caught.value.issues]
