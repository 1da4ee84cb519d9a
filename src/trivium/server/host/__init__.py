"""The server's own host, a data directory with its keeper: who leads it, and what its leader does."""
