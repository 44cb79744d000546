"""What has to be known to make a run again: its files, its seed, and what the caller changed.

The same recipe on the virtual clock gives the same bytes, on this machine or on another one with
the same lockfile. A file that a rig names (a network of its own, TLS keys) is not part of it: it is
found from where the rig is.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from gridrig.campaign.catalogue import CATALOGUE
from gridrig.campaign.renewal_fit import require_renewal
from gridrig.campaign.scenario import Scenario, describe_scenario, units
from gridrig.campaign.scenario_fit import require_fit
from gridrig.campaign.slicing import slice_scenario
from gridrig.rig.description import Override, Rig, describe, override_emulate
from gridrig.rig.toml_file import TomlFile, parse_toml


@dataclass(frozen=True)
class Recipe:
    """A run to be made.

    Parameters
    ----------
    rig, scenario : TomlFile
        The two files.
    seed : int or None
        Of all randomness; None for the scenario's.
    engine : str or None
        The feeder engine, if not the rig's own.
    from_s, for_s, tick_s : int or None
        The slice of the scenario, if not all of it. [s]
    capture : bool
        Whether to record every wire, beside what the rig says.
    overrides : tuple of Override
        Emulated devices that differ from the rig file: a mutant.
    """

    rig: TomlFile
    scenario: TomlFile
    seed: int | None = None
    engine: Literal["pandapower", "opendss"] | None = None
    from_s: int | None = None
    for_s: int | None = None
    tick_s: int | None = None
    capture: bool = False
    overrides: tuple[Override, ...] = ()

    def prepare(self) -> tuple[Rig, Scenario, int]:
        """Check the files and how they fit, and return what `run` takes: rig, scenario, seed.

        Raises
        ------
        GridrigError
            With everything that is wrong in one of the files, or between them.
        """
        rig = describe(self.rig)
        for override in self.overrides:
            rig = override_emulate(rig, override.device, override.emulate)
        if self.engine is not None and rig.feeder is not None:
            rig = replace(rig, feeder=replace(rig.feeder, engine=self.engine))
        if self.capture:
            rig = replace(rig, capture=True)
        scenario = describe_scenario(self.scenario, units(CATALOGUE))
        begin_s = self.from_s or 0
        end_s = math.inf if self.for_s is None else begin_s + self.for_s
        require_fit(rig, scenario, from_s=begin_s, to_s=end_s)
        if self.slice:
            scenario = slice_scenario(
                scenario, from_s=begin_s, for_s=self.for_s, tick_s=self.tick_s
            )
        require_renewal(rig, scenario)
        return rig, scenario, scenario.seed if self.seed is None else self.seed

    @property
    def slice(self) -> dict[str, int]:
        """What was asked of the slice; empty for the whole scenario."""
        asked = {"from_s": self.from_s, "for_s": self.for_s, "tick_s": self.tick_s}
        return {key: value for key, value in asked.items() if value is not None}

    def to_json(self) -> dict[str, Any]:
        """Return the recipe with the text of both files."""
        return {
            "rig": {"path": self.rig.path, "text": self.rig.text.decode()},
            "scenario": {"path": self.scenario.path, "text": self.scenario.text.decode()},
            "seed": self.seed,
            "engine": self.engine,
            "capture": self.capture,
            "overrides": [vars(override) for override in self.overrides],
            **self.slice,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Recipe":
        """Read back what `to_json` gave."""
        rest = {key: value for key, value in content.items() if key not in ("rig", "scenario")}
        rest["overrides"] = tuple(Override(**override) for override in rest["overrides"])
        rig, scenario = (
            parse_toml(content[key]["text"].encode(), content[key]["path"])
            for key in ("rig", "scenario")
        )
        return cls(rig, scenario, **rest)
