"""Dispatch: what the routing engine is told and decides, the floor it is told of, and why it decided so."""
