"""ZStack AIOS: its query language, which every list of it is asked in."""
