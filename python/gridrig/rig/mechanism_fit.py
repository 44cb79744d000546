"""A mechanism from its name and its parameters, checked like everything in a file."""

from collections.abc import Mapping
from typing import Any

from gridrig.errors import MarketError
from gridrig.market.mechanisms import Mechanism, Mechanisms
from gridrig.rig.issues import At, Issues, shown
from gridrig.rig.schema import read_record


def make_mechanism(
    name: str,
    parameters: Mapping[str, Any],
    at: At,
    issues: Issues,
    key: str = "parameters",
    mechanisms: Mechanisms | None = None,
) -> Mechanism | None:
    """Make a mechanism; None if it has an issue, which is noted.

    Parameters
    ----------
    name : str
        Its entry point in the group `gridrig.clearing`.
    parameters : mapping
        Values of its fields.
    at : At
        The table that names it, in its key `mechanism`, and whose key `key` holds the parameters.
    mechanisms : Mechanisms or None
        Where it is looked up; None for the installed packages.
    """
    try:
        chosen = (mechanisms or Mechanisms.installed()).mechanism(name)
    except MarketError as error:
        issues.add(at.key("mechanism"), error.found, error.expected, error.near)
        return None
    try:
        return read_record(chosen, parameters, at.key(key), issues)
    except (MarketError, ValueError) as error:  # its `__post_init__`
        if isinstance(error, MarketError) and "parameter" in error.facts:
            issues.add(at.key(key).key(error.parameter), shown(error.found), error.expected)
        else:
            issues.add(at.key(key), str(error), "parameters that the mechanism takes")
        return None
