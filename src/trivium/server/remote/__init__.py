"""Calls to the runtimes of other hosts, which go through the database: who calls, and who serves them."""
