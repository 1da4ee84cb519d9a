"""Text: folding for searches, and the words that people read, in Chinese and English."""

from trivium.base.text.folding import fold
from trivium.base.text.readable import readable
from trivium.base.text.words import Language, say

__all__ = ["Language", "fold", "readable", "say"]
