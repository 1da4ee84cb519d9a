"""Why something is as it is: a code and details, said in the reader's language when it is shown."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from trivium.base.text import Language, say
from trivium.base.values import Value


class Reason(Value, frozen=True):
    """A code of the catalogue with its details."""

    code: str
    details: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])

    def say(self, language: Language) -> str:
        """The sentence, in that language."""
        return say(self.code, language, **self.details)
