"""What of a network can be switched, and how it is asked for by name."""

from collections.abc import Sequence
from difflib import get_close_matches

from gridrig.errors import GridError
from gridrig.grid.network import Network, Regulator, line_key, trafo_key


def branches(network: Network) -> tuple[str, ...]:
    """Return what can be switched, `line:<name>` or `trafo:<name>`."""
    lines = [line_key(x.name) for x in network.lines]
    return (*lines, *(trafo_key(x.name) for x in network.transformers))


def require_branch(network: Network, branch: str) -> None:
    """Refuse a branch that the network lacks, with the near miss."""
    _require(network, branch, branches(network))


def require_tap(network: Network, transformer: str, steps: float) -> None:
    """Refuse a transformer that is not there, has no taps, or whose tap would leave it dead."""
    names = [x.name for x in network.transformers]
    _require(network, transformer, names)
    found = network.transformers[names.index(transformer)]
    ratio = found.ratio_at(steps)
    if not found.tap_step_percent:
        raise GridError(
            "grid.tap_fixed", "transformer {transformer!r} has no taps", transformer=transformer
        )
    if not 0.5 < ratio < 1.5:
        raise GridError(
            "grid.tap_fixed",
            "transformer {transformer!r} at {steps:g} steps of {step_percent:g} % would have "
            "{ratio:.4g} of its nominal voltage, expected between 0.5 and 1.5",
            transformer=transformer,
            steps=steps,
            step_percent=found.tap_step_percent,
            ratio=ratio,
        )


def require_regulator(network: Network, name: str) -> Regulator:
    """Return a regulator of the network, or refuse one that it lacks, with the near miss."""
    _require(network, name, [x.name for x in network.regulators])
    return next(x for x in network.regulators if x.name == name)


def regulators_of(network: Network, transformer: str) -> list[str]:
    """Return the regulators that move the tap of a transformer."""
    return [x.name for x in network.regulators if x.transformer == transformer]


def _require(network: Network, name: str, known: Sequence[str]) -> None:
    if name not in known:
        near = get_close_matches(name, list(known), n=1)
        raise GridError(
            "grid.branch_unknown",
            "{network} has no {name!r} to switch{hint}",
            network=network.name,
            name=name,
            hint=f" (did you mean {near[0]!r}?)" if near else "",
        )
