"""Wire formats: bytes to values and back, shared by drivers and emulators."""
