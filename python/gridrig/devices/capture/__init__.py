"""What passed on the wires of a bench: recorded, read back, decoded, served again."""
