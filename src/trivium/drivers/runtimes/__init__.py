"""Runtimes: what starts, watches and stops workloads."""
