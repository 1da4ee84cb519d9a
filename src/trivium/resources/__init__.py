"""One room for each resource; a room may use the rooms before it, never after it."""
