"""The tongues: one room for each cloud's API, and what they have in common (`operation`, `wire`)."""
