"""Trivium: one account of notebooks, images, models, datasets and pools, spoken in several clouds' APIs."""
