"""Use cases of the site: looking at it, and noting what the settings say of it."""

from __future__ import annotations

from sqlalchemy import select, update

from trivium.base.text import fold
from trivium.resources.sites.table import site_of, sites
from trivium.resources.sites.types import SiteRecord
from trivium.store import Read, Write


def get(tx: Read) -> SiteRecord:
    """The site, which the migrations make: whatever else is there came later."""
    row = tx.first(select(sites))
    if row is None:
        message = "the database has no site"
        raise LookupError(message)
    return site_of(row)


def is_noted(tx: Read, *, name: str, description: str = "") -> bool:
    """Whether the site is called so already."""
    found = get(tx)
    return (found.name, found.description) == (name, description or None)


def note(tx: Write, *, name: str, description: str = "") -> SiteRecord:
    """Write down what the site is called; its uuid stays. Nothing changes where it is called so already."""
    if is_noted(tx, name=name, description=description):
        return get(tx)
    told = description or None
    values = {
        "name": name,
        "name_folded": fold(name),
        "description": told,
        "description_folded": None if told is None else fold(told),
    }
    tx.run(update(sites).values(**values, changed_at=tx.now))
    return get(tx)
