"""Benchmarks: this engine and others on the same work, at equal true error."""
