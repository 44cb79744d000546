"""Types of argument that several commands take."""

import argparse
from collections.abc import Callable
from typing import Protocol

SEED_MAX = 2**63 - 1
PERIOD_MAX = 2**32 - 1  # of periods and of their revisions
WH_MAX = 2**62  # in a certificate, and certificates


class AddCommand(Protocol):
    """Adds a command and answers its parser, to which its arguments are added."""

    def __call__(self, name: str, text: str, epilog: str) -> argparse.ArgumentParser:
        """Add the command of this name; `text` says what it does, `epilog` shows examples."""
        ...


def whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """Return a type of argument: whole numbers within bounds, both included."""

    def parse(text: str) -> int:
        number = int(text)
        if number < least or (most is not None and number > most):
            bound = f"at least {least}" if number < least else f"at most {most}"
            raise argparse.ArgumentTypeError(f"{number} is not {bound}")
        return number

    parse.__name__ = "whole number"
    return parse
