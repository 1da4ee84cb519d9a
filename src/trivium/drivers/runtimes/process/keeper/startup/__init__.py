"""The steps from a fork of the keeper to a running notebook, and the minder that stays beside it."""
