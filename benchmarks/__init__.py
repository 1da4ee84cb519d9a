"""Benchmarks: `python -m benchmarks [NAME]`, or `make bench`. Each prints what it ran, on what, and its figures."""
