"""What is said to an operator about something that went wrong: one sentence, in their language."""

from __future__ import annotations

import os
from collections.abc import Mapping

from trivium.base.errors import Internal, TriviumError
from trivium.base.text import Language, say


def sentence_of(error: BaseException, environment: Mapping[str, str] = os.environ) -> str | None:
    """The sentence for an error that the operator can do something about; None for a fault of ours."""
    if isinstance(error, TriviumError) and type(error) is not Internal:
        return _said(error, language_of(environment))
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return None


def language_of(environment: Mapping[str, str]) -> Language:
    """The operator's language, as the usual variables say."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = environment.get(name, "")
        if value:
            return Language.ZH if value.lower().startswith("zh") else Language.EN
    return Language.EN


def _said(error: TriviumError, language: Language) -> str:
    # What was written where it went wrong says more than the catalogue, in English.
    if error.message and language is Language.EN and "problems" not in error.details:
        return error.message
    said = say(error.code, language, **error.details)
    return error.message or error.code if said == error.code else said
