"""Whether what a scenario switches is in the feeder: asked once the network is loaded."""

from collections.abc import Mapping, Sequence
from typing import Any

from gridrig.campaign.scenario import Scenario
from gridrig.campaign.scenario_events import OF_FEEDER
from gridrig.errors import GridError, Issue, RigError
from gridrig.grid.feeder import Feeder
from gridrig.grid.network import Network, regulator_key, trafo_key
from gridrig.grid.switching import branches, regulators_of, require_tap
from gridrig.rig.issues import At, Issues, near_miss, one_of, shown
from gridrig.rig.toml_file import parse_toml

SHOWN_MAX = 20


def require_switchable(feeder: Feeder, scenario: Scenario) -> None:
    """Refuse a scenario with events at lines, transformers or regulators that are not there.

    Raises
    ------
    RigError
        `scenario.does_not_fit`, with every issue.
    """
    issues = check_switchable(feeder, scenario)
    if issues:
        raise RigError(
            "scenario.does_not_fit",
            "{scenario} does not fit {network}",
            issues=issues,
            scenario=scenario.path,
            network=feeder.network.name,
        )


def check_switchable(feeder: Feeder, scenario: Scenario) -> tuple[Issue, ...]:
    """Return what keeps the events of a scenario from happening on a feeder."""
    issues = Issues(scenario.path)
    file = parse_toml(scenario.text, scenario.path)
    begin_s = scenario.slice.get("from_s", 0)
    known, held = _known(feeder), set[str]()
    events = enumerate(file.table.get("event", ()))
    for index, table in sorted(events, key=lambda event: event[1]["at_s"]):
        do, target = table["do"], table["target"]
        if do not in OF_FEEDER or table["at_s"] >= begin_s + scenario.duration_s:
            continue
        at = file.top.key("event").item(index, table.get("name"))
        if target == feeder.pcc_branch and do == "switch":
            issues.add(at.key("target"), f"{shown(target)}, the PCC", 'do = "open" of "pcc"')
        elif target not in known[do]:
            words, near = _words(known[do], do), near_miss(target, known[do])
            issues.add(at.key("target"), shown(target), words, near)
        elif do == "tap":
            _check_tap(feeder.network, table, at, held, issues)
        elif do == "regulator" and "acts" in table:
            (held.discard if table["acts"] else held.add)(name_of(target))
    return issues.sorted()


def _check_tap(
    network: Network, table: Mapping[str, Any], at: At, held: set[str], issues: Issues
) -> None:
    transformer = name_of(table["target"])
    try:
        require_tap(network, transformer, table["steps"])
    except GridError as error:
        issues.add(at.key("steps"), shown(table["steps"]), f"another: {error.message}")
    for regulator in regulators_of(network, transformer):
        if regulator not in held:
            found = f"{shown(table['target'])}, which {regulator_key(regulator)} moves back"
            issues.add(at.key("target"), found, "an event before it that says acts = false of it")


def _known(feeder: Feeder) -> dict[str, list[str]]:
    """Return the targets of each kind of event."""
    network = feeder.network
    return {
        "switch": [branch for branch in branches(network) if branch != feeder.pcc_branch],
        "tap": [trafo_key(x.name) for x in network.transformers],
        "regulator": [regulator_key(x.name) for x in network.regulators],
    }


def name_of(target: str) -> str:
    """Return the name in a target such as `trafo:station`."""
    return target.partition(":")[2]


def _words(names: Sequence[str], do: str) -> str:
    if not names:
        return f"a network that has something to {do}"
    return f"one of the {len(names)} there are" if len(names) > SHOWN_MAX else one_of(names)
