"""A run from start to evidence: measurements, run directory, manifest."""
