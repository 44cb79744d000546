"""The live view: one read-only page about a run, served on this machine while it runs."""
