"""What a sweep is: two files, the axes of its grid, its seeds; and the points they make.

Points are numbered from 1, parameters in the order given, the last one fastest, seeds fastest of
all. The plan is written into the sweep's folder before the first run and never changes: whoever
resumes with another one is refused.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gridrig.campaign.recipe import Recipe
from gridrig.campaign.scenario import Scenario
from gridrig.errors import CampaignError, GridrigError
from gridrig.rig.description import Rig
from gridrig.sweep.parameters import Parameter, with_values

POINTS_MAX = 100_000


@dataclass(frozen=True)
class Point:
    """One run of the grid: its number, and what it differs in."""

    number: int
    seed: int
    values: Mapping[str, Any]

    @property
    def text(self) -> str:
        """What it differs in, for people."""
        return ", ".join([*(f"{key}={value}" for key, value in self.values.items()), self._seed])

    @property
    def _seed(self) -> str:
        return f"seed={self.seed}"


@dataclass(frozen=True)
class Plan:
    """A whole sweep.

    Parameters
    ----------
    recipe : Recipe
        What every point has in common; its seed is not used.
    parameters : tuple of Parameter
        The axes of the grid.
    seeds : tuple of int
        Each combination of values is run with each of them.
    """

    recipe: Recipe
    parameters: tuple[Parameter, ...]
    seeds: tuple[int, ...]

    def __post_init__(self) -> None:
        keys = [parameter.key for parameter in self.parameters]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            raise CampaignError("sweep.parameter", "{key} is set twice", key=twice)
        if not 1 <= len(self) <= POINTS_MAX:
            raise CampaignError(
                "sweep.size", "{count} points, expected 1 to {most}", count=len(self),
                most=POINTS_MAX,
            )  # fmt: skip

    def __len__(self) -> int:
        count = len(self.seeds)
        for parameter in self.parameters:
            count *= len(parameter.values)
        return count

    def points(self) -> Iterator[Point]:
        """Return every point in its order."""
        number = 0
        for values in self.combinations():
            for seed in self.seeds:
                number += 1
                yield Point(number, seed, values)

    def combinations(self) -> Iterator[dict[str, Any]]:
        """Return every combination of values, seeds aside."""
        axes = [parameter.values for parameter in self.parameters]
        for chosen in itertools.product(*axes):
            yield dict(zip((p.key for p in self.parameters), chosen, strict=True))

    def recipe_of(self, values: Mapping[str, Any], seed: int | None = None) -> Recipe:
        """Return the recipe of a combination of values."""
        return replace(
            self.recipe,
            rig=with_values(self.recipe.rig, "rig", values),
            scenario=with_values(self.recipe.scenario, "scenario", values),
            seed=seed,
        )

    def check(self) -> tuple[Rig, Scenario]:
        """Prepare every combination, before anything runs; return the first one's.

        Raises
        ------
        GridrigError
            What is wrong with the first combination that cannot be run; it names the values.
        """
        first: tuple[Rig, Scenario] | None = None
        for values in self.combinations():
            try:
                rig, scenario, _ = self.recipe_of(values).prepare()
            except GridrigError as error:
                if not values:
                    raise
                raise CampaignError(
                    "sweep.point_invalid",
                    "with {values}: {why}",
                    values=", ".join(f"{key}={value}" for key, value in values.items()),
                    why=str(error),
                ) from error
            first = first or (rig, scenario)
        assert first is not None, "a plan has at least one point"
        return first

    def to_json(self) -> dict[str, Any]:
        """Return the content of `sweep.json`."""
        return {
            "recipe": self.recipe.to_json(),
            "parameters": [
                {"key": parameter.key, "values": list(parameter.values)}
                for parameter in self.parameters
            ],
            "seeds": list(self.seeds),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Plan":
        """Read `sweep.json` back."""
        return cls(
            Recipe.from_json(content["recipe"]),
            tuple(Parameter(p["key"], tuple(p["values"])) for p in content["parameters"]),
            tuple(content["seeds"]),
        )


def read_seeds(text: str) -> tuple[int, ...]:
    """Read seeds: `1..50`, both included, or `1,2,7`, or both: `1..3,9`.

    Raises
    ------
    CampaignError
        `sweep.seeds` if it is not of that form, or gives a seed twice.
    """
    seeds: list[int] = []
    for part in text.split(","):
        first, dots, last = part.strip().partition("..")
        if not first.isdecimal() or (dots and not last.isdecimal()):
            raise CampaignError(
                "sweep.seeds", "found {part!r}, expected seeds such as 1..50 or 1,2,7", part=part
            )
        low, high = int(first), int(last or first)
        if high < low or high - low >= POINTS_MAX or high >= 2**63:
            raise CampaignError(
                "sweep.seeds",
                "{part!r} is no rising range of at most {most} seeds below 2^63",
                part=part,
                most=POINTS_MAX,
            )
        seeds += range(low, high + 1)
    if len(set(seeds)) < len(seeds):
        raise CampaignError("sweep.seeds", "{text!r} gives a seed twice", text=text)
    return tuple(seeds)


def differences(found: Plan, asked: Plan) -> Sequence[str]:
    """Return in which parts two plans differ, for people."""
    old, new = found.to_json(), asked.to_json()
    parts = {f"the {key}": (old[key], new[key]) for key in ("parameters", "seeds")}
    for key in sorted(old["recipe"].keys() | new["recipe"].keys()):
        parts[f"the {key}"] = (old["recipe"].get(key), new["recipe"].get(key))
    return [name for name, (one, other) in parts.items() if one != other]
