"""The process runtime: a notebook is a tree of processes on this machine, kept by a keeper that outlives the server.

Its door is `runtime` (`ProcessRuntime`) and `settings` (`ProcessSettings`, `run_directory`). This file imports nothing,
because the keeper's own program, which has only the standard library, passes through it.
"""
