"""Substrings, found without looking into every row: an index of *grams*, of one to nine characters.

A resource declares once which folded column is searched, and into which *parts* its rows fall: the part is what a
caller sees, such as a project's listed rows. Each gram is kept together with its part, so a search never meets what
belongs to others, and a word that is common elsewhere costs nothing here. Triggers keep the index, whatever code or
process writes; a change of anything but the text and the part does not touch it.

On SQLite the index is a table of FTS5, whose tokens are made in SQL: neither terms of one or two characters nor
Chinese are special to it. The cost of a common phrase grows with its grams, so that there are long ones, too. On
PostgreSQL it is a narrow table beside the resource's own, with a GIN index over hashes of the grams: no extension, and
no locale has a say.
"""

from trivium.store.grams.access_paths import AccessPath, Kind
from trivium.store.grams.backfilling import backfill
from trivium.store.grams.declared import Grams

__all__ = ["AccessPath", "Grams", "Kind", "backfill"]
