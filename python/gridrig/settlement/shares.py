"""Shares of a community asset, and money parted to the last unit by largest remainder."""

from gridrig._core import ShareRegister, largest_remainder

__all__ = ["ShareRegister", "largest_remainder"]
