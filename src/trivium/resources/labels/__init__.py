"""Labels: keys with values that things carry, and the selectors that things are chosen by."""

from trivium.resources.labels.service import MOST, checked, checked_document, selecting, set_labels
from trivium.resources.labels.types import Requirement, Selecting

__all__ = ["MOST", "Requirement", "Selecting", "checked", "checked_document", "selecting", "set_labels"]
