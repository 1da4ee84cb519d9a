"""What the things of a catalogue have in common: whose they are, who sees them, and what they are made with."""

from trivium.resources.owning.checking import LONGEST_DOCUMENT, checked_document, checked_text, document_of
from trivium.resources.owning.columns import folded, folded_values, owned, shown, texts, times
from trivium.resources.owning.errors import UuidTaken
from trivium.resources.owning.rights import audience, claimed, must_own, owns, scope_of, seen, seen_by, sees
from trivium.resources.owning.types import EVERYBODY, Deletion, Dependents, Outcome

__all__ = [
    "EVERYBODY",
    "LONGEST_DOCUMENT",
    "Deletion",
    "Dependents",
    "Outcome",
    "UuidTaken",
    "audience",
    "checked_document",
    "checked_text",
    "claimed",
    "document_of",
    "folded",
    "folded_values",
    "must_own",
    "owned",
    "owns",
    "scope_of",
    "seen",
    "seen_by",
    "sees",
    "shown",
    "texts",
    "times",
]
