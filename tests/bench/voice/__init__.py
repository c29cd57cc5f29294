"""Benchmarks of the telephone."""
