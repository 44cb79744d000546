"""`gridrig bench`: our figure and the peer's, measured in one run on one core of this machine."""
