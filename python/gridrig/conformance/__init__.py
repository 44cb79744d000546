"""The catalogue that every driver must pass, and the certificates that say so."""
