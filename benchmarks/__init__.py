"""Benchmarks: what commands cost, each beside a floor that is measured in the same run."""
