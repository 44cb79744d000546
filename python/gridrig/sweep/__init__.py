"""A campaign over a grid of parameters and seeds: many runs, one result (`docs/sweeps.md`)."""
