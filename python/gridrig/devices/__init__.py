"""Devices: what each kind can do, how it speaks, the drivers, and the emulated ones."""
