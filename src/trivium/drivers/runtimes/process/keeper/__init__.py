"""The keeper: a small program of its own that starts notebooks, watches them, and outlives the server.

Everything in this folder uses the standard library only, since the keeper runs without any installed package.
"""
