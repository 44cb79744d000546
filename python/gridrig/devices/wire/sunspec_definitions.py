"""SunSpec model definitions: points in groups that repeat, and the model they make on one device.

A definition is a tree: points, then groups of points, each as often as a count point of the model
says (`NCrv` curves of `NPt` points) or as the model's length allows. Given its counts it is a flat
`Model`. Points are named by their way down the tree, repeated groups counted from one as the
standard counts curves: `Crv[2].Pt[1].V`; a group that does not repeat has no number,
`PFWInj.PF`.

Limits: 1,000 repetitions of a group, and the 65,534 registers a length can say.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib import resources

from gridrig.devices.wire.sunspec import HEADER, Model, Point

REPEAT_MAX = 1000
LENGTH_MAX = 0xFFFE
BY_LENGTH = "*"  # count of a group that repeats as often as the length allows
SHAPES_KEPT = 256


@dataclass(frozen=True)
class PointDefinition:
    """One point before it has a place; see `Point`."""

    name: str
    type: str
    size: int
    scale: str | None
    writable: bool


@dataclass(frozen=True)
class GroupDefinition:
    """Points, then groups, that repeat together.

    Parameters
    ----------
    name : str
        As the definition has it.
    count : str
        Name of the point that counts it, "1", or "*".
    sync : bool
        Whether its points must be written together.
    points : list of PointDefinition
        In register order.
    groups : list of GroupDefinition
        After the points, in register order.
    """

    name: str
    count: str
    sync: bool
    points: list[PointDefinition] = field(default_factory=list)
    groups: list["GroupDefinition"] = field(default_factory=list)

    def registers(self, counts: Mapping[str, int]) -> int:
        """Return how many registers it takes with these counts."""
        own = sum(point.size for point in self.points)
        inside = (
            group.registers(counts) * (1 if group.count == "1" else counts[group.count])
            for group in self.groups
        )
        return own + sum(inside)

    def counted_by(self) -> Iterator[str]:
        """Yield the names of the points, and `*`, that say how often groups inside repeat."""
        for group in self.groups:
            if group.count != "1":
                yield group.count
            yield from group.counted_by()


@dataclass(frozen=True, eq=False)  # one and the same, or another
class ModelDefinition:
    """One model of the standard, or of a vendor.

    Parameters
    ----------
    id : int
        Its number.
    body : GroupDefinition
        Its points and groups.
    """

    id: int
    body: GroupDefinition

    @property
    def counts(self) -> tuple[str, ...]:
        """Names of the count points, each once; `*` for a group that fills the length."""
        return tuple(dict.fromkeys(self.body.counted_by()))

    @property
    def head(self) -> Model:
        """The points before the first group: where the counts are."""
        return _place(self, {})

    def model(self, counts: Mapping[str, int] | None = None) -> Model:
        """Return the model with each group as often as its count says.

        Parameters
        ----------
        counts : mapping of str to int
            A number for each of `counts`; a count of zero leaves the group out.

        Raises
        ------
        ValueError
            If a count is missing, not of this model, or out of range.
        """
        given = dict(counts or {})
        if set(given) != set(self.counts):
            raise ValueError(
                f"model {self.id} is counted by {list(self.counts)}, found {sorted(given)}"
            )
        for name, count in given.items():
            if not 0 <= count <= REPEAT_MAX:
                raise ValueError(f"model {self.id}: {name} = {count} is outside 0..{REPEAT_MAX}")
        # Counted before anything is laid out: a device may state any counts.
        registers = self.body.registers(given) - HEADER
        if registers > LENGTH_MAX:
            raise ValueError(f"model {self.id}: {registers} registers, at most {LENGTH_MAX}")
        return _shaped(self, tuple(sorted(given.items())))

    def fitting(self, length: int, counts: Mapping[str, int]) -> Model:
        """Return the model that a device has which states this length.

        A model that repeats is as long as its counts make it; any other may be shorter (old
        firmware leaves out the last points) or longer (new firmware adds some).

        Parameters
        ----------
        length : int
            L as the device states it.
        counts : mapping of str to int
            The count points as the device has them.

        Raises
        ------
        ValueError
            If counts and length contradict one another.
        """
        given = dict(counts)
        if BY_LENGTH in self.counts:
            given[BY_LENGTH] = self._repetitions(length, given)
        model = self.model(given)
        if self.counts and length != model.length:
            shown = ", ".join(f"{name} = {count}" for name, count in counts.items())
            raise ValueError(
                f"model {self.id}: length {length}, but {shown or 'its points'} makes it "
                f"{model.length}"
            )
        return model

    def _repetitions(self, length: int, given: Mapping[str, int]) -> int:
        none = self.model({**given, BY_LENGTH: 0}).length
        each = self.model({**given, BY_LENGTH: 1}).length - none
        return max(0, length - none) // each


@lru_cache(maxsize=SHAPES_KEPT)
def _shaped(definition: ModelDefinition, counts: tuple[tuple[str, int], ...]) -> Model:
    return _place(definition, dict(counts))


def _place(definition: ModelDefinition, counts: Mapping[str, int]) -> Model:
    points: dict[str, Point] = {}
    offset = 0

    def add(group: GroupDefinition, prefix: str, synced: str | None) -> None:
        nonlocal offset
        for p in group.points:
            name = prefix + p.name
            points[name] = Point(name, p.type, offset, p.size, p.scale, p.writable, synced)
            offset += p.size
        for sub in group.groups:
            numbered = sub.count != "1"
            for number in range(1, 1 + (counts.get(sub.count, 0) if numbered else 1)):
                path = f"{prefix}{sub.name}{f'[{number}]' if numbered else ''}"
                add(sub, f"{path}.", path if sub.sync else synced)

    add(definition.body, "", None)
    return Model(definition.id, definition.body.name, points)


def parse_definitions(text: str) -> dict[int, ModelDefinition]:
    """Read a table of models.

    `model ID NAME` opens one; then a line for each point, `name type size scale access`; `group
    NAME COUNT` or `sync NAME COUNT` opens a group and `end` closes it.

    Raises
    ------
    ValueError
        If a line is none of these, or a group is left open.
    """
    found: dict[int, ModelDefinition] = {}
    open_groups: list[GroupDefinition] = []
    for number, line in enumerate(text.splitlines(), 1):
        match line.split("#")[0].split():
            case []:
                pass
            case ["model", model_id, name]:
                if len(open_groups) > 1:
                    raise ValueError(f"line {number}: group {open_groups[-1].name!r} is not closed")
                open_groups = [GroupDefinition(name, "1", sync=False)]
                found[int(model_id)] = ModelDefinition(int(model_id), open_groups[0])
            case ["group" | "sync" as word, name, count] if open_groups:
                group = GroupDefinition(name, count, sync=word == "sync")
                open_groups[-1].groups.append(group)
                open_groups.append(group)
            case ["end"] if len(open_groups) > 1:
                open_groups.pop()
            case [name, kind, size, scale, access] if open_groups:
                point = PointDefinition(
                    name, kind, int(size), None if scale == "-" else scale, access == "RW"
                )
                open_groups[-1].points.append(point)
            case _:
                raise ValueError(f"line {number}: {line!r} is no line of a table of models")
    if len(open_groups) > 1:
        raise ValueError(f"group {open_groups[-1].name!r} is not closed")
    return found


@cache
def standard_definitions() -> Mapping[int, ModelDefinition]:
    """Return the SunSpec models gridrig knows, by number."""
    text = (resources.files(__package__) / "sunspec_models.txt").read_text(encoding="utf-8")
    return parse_definitions(text)


def standard_model(number: int, **counts: int) -> Model:
    """Return one model of the standard with its counts.

    >>> standard_model(705, NCrv=3, NPt=4).length
    67
    """
    return standard_definitions()[number].model(counts)
