"""What decentralised energy promises its users, row by row, and what proves each on the rig."""
