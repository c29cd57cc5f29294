"""Self-service flows: one conversation, written once, for every channel. Pure: no I/O, no clock, no randomness."""
