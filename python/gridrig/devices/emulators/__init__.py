"""Emulated devices: servers on real sockets and pseudo-terminals, faces of one terminal each."""
