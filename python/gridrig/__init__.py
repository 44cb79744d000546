"""gridrig: a hardware-in-the-loop testbed for decentralised energy."""
