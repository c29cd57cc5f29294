"""Use cases: the only way to change the truth. Each call is one unit of work that also writes its events."""
