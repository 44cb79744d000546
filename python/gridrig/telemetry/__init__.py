"""Boxes beside meters: packets over UDP, samples over JSON-RPC, and who collects them."""
