"""`gridrig bench`: our figure and the peer's, in one run on one core; microgrid takes all."""
