"""Drivers: a device's own protocol turned into a capability."""
