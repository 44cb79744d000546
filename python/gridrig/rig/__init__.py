"""Rig files: described, validated whole, and opened as a bench that ends safe."""
