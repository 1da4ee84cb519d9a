"""What is said to an operator about something that went wrong: one sentence, in their language."""

from __future__ import annotations

import os

from trivium.base.errors import TriviumError
from trivium.base.text import Language, say


def sentence_of(error: BaseException) -> str | None:
    """The sentence for an error that the operator can do something about; None for a fault of ours."""
    if isinstance(error, TriviumError):
        said = say(error.code, language(), **{"message": error.message, **error.details})
        return error.message or error.code if said == error.code else said
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return None


def language() -> Language:
    """The operator's language, as the usual variables say."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name, "")
        if value:
            return Language.ZH if value.lower().startswith("zh") else Language.EN
    return Language.EN
