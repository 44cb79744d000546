"""Drivers that are wrong, each in one way: what the catalogue must refuse."""
