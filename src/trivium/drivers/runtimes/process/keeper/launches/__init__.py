"""One start of a notebook as the keeper sees it: its specification, its journal, its processes and its limits."""
