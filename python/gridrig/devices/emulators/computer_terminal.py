"""What an emulated computing node may see and command of the plant: what it draws."""

from typing import Protocol


class ComputerTerminal(Protocol):
    """The plug of a computer."""

    def draw(self, p_w: float) -> None:
        """Draw power from now on. [W]"""
