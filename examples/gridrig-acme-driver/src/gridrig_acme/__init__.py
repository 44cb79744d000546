"""gridrig driver and emulator of the Acme PowerCell."""
