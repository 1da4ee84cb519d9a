"""The ground: ids, clock, errors, queries, units and text. Imports nothing of ours."""
