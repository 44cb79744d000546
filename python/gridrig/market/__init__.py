"""Agents that bid and offer, and the auction that clears what they want."""
