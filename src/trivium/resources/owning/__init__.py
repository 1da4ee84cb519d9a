"""What the things of a catalogue have in common: whose they are, who sees them, and what they are made with."""

from trivium.resources.owning.checking import LARGEST_KEY, LONGEST_DOCUMENT, checked_document, checked_text, document_of
from trivium.resources.owning.columns import folded, folded_values, owned, shown, texts, times
from trivium.resources.owning.deleting import each, refusal_of
from trivium.resources.owning.errors import UuidTaken
from trivium.resources.owning.listing import Listing
from trivium.resources.owning.rights import audience, claimed, must_own, owns, seen_by, sees
from trivium.resources.owning.types import EVERYBODY, Deletion, Dependents, Outcome

__all__ = [
    "EVERYBODY",
    "LARGEST_KEY",
    "LONGEST_DOCUMENT",
    "Deletion",
    "Dependents",
    "Listing",
    "Outcome",
    "UuidTaken",
    "audience",
    "checked_document",
    "checked_text",
    "claimed",
    "document_of",
    "each",
    "folded",
    "folded_values",
    "must_own",
    "owned",
    "owns",
    "refusal_of",
    "seen_by",
    "sees",
    "shown",
    "texts",
    "times",
]
