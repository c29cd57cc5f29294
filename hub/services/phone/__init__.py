"""Phone calls: each call's state, what carriers tell and are told, and what agents and callers do."""
