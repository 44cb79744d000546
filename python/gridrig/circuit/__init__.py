"""The circuit of an emulated bench: a source, a switch, a load bank and devices on one bus."""
