"""Tags: keys with values that people give to things of several kinds, each kind's room saying of which.

A thing is known by its kind and id. The room of the kind checks who may tag it, locks it first, and records the event.
"""

from trivium.resources.tags.errors import TooManyTags
from trivium.resources.tags.scopes import Tagged
from trivium.resources.tags.service import by_key, of, of_many, put, remove, remove_all
from trivium.resources.tags.types import MOST, Tag

__all__ = ["MOST", "Tag", "Tagged", "TooManyTags", "by_key", "of", "of_many", "put", "remove", "remove_all"]
