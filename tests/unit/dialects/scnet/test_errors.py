"""Every error of Trivium has a code of SCNet's, and words."""

from __future__ import annotations

import re

import pytest

from tests.every_error import every_error, made
from trivium.base.errors import Forbidden, Internal, Invalid, Missing, NotFound, TriviumError
from trivium.base.text import Language, say
from trivium.dialects.scnet import errors
from trivium.dialects.scnet.errors import BY_OPERATION, Code, code_of, words_of
from trivium.resources.images import ImageChanged
from trivium.resources.nodes import NoCapacity
from trivium.resources.notebooks import BadName, MountRefused, NotRunning, NotStartable, RuntimeUnavailable
from trivium.resources.users import AccountFrozen, SessionExpired

SEEDS = {"0", "10001", "10003", "10004", "10007", "10008", "10009", "10010", "10011", "10012"}
ACTIONS = {"716864", "716865", "716866", "716867", "716868"}


def test_the_codes_are_those_of_the_pages() -> None:
    assert {code.value for code in Code} == SEEDS | ACTIONS


@pytest.mark.parametrize("error", every_error("scnet"), ids=lambda error: error.__name__)
def test_every_error_has_a_code_and_words(error: type[TriviumError]) -> None:
    one = made(error)
    fault = isinstance(one, Internal)
    for operation in ("QueryNotebooks", *BY_OPERATION):
        code = code_of(one, operation)
        assert (code is Code.INTERNAL) == fault
        assert code is not Code.SUCCESS
    said = words_of(one)
    assert re.search(r"[\u4e00-\u9fff]", said), said
    if isinstance(one, Invalid):
        assert "field" in said


@pytest.mark.parametrize(
    ("error", "operation", "code"),
    [
        (Missing("page"), "", "10003"),
        (Invalid("page"), "", "10004"),
        (NotFound(), "CreateNotebook", "10004"),
        (AccountFrozen(), "", "10007"),
        (SessionExpired(), "", "10008"),
        (Forbidden(), "StopNotebook", "10009"),
        (ImageChanged(path="p"), "CreateNotebook", "10010"),
        (errors.BodyTooLarge(limit=1), "", "10011"),
        (RuntimeUnavailable(), "StartCustomizeService", "10012"),
        (NoCapacity(kind="dcu", count=1), "CreateNotebook", "716865"),
        (NotStartable(status="running"), "StartNotebook", "716868"),
        (NotRunning(status="stopped"), "StartCustomizeService", "716864"),
        (MountRefused(), "CreateNotebook", "716865"),
        (TriviumError(), "", "10001"),
    ],
    ids=lambda part: type(part).__name__ if isinstance(part, TriviumError) else None,
)
def test_an_error_has_the_code_that_the_pages_give_it(error: TriviumError, operation: str, code: str) -> None:
    assert code_of(error, operation) == code


def test_a_field_of_a_room_is_called_what_the_page_calls_it() -> None:
    assert words_of(BadName("name", "...")).startswith("参数 notebookName 无效:")


def test_a_status_is_said_in_scnets_word() -> None:
    assert "Running" in words_of(NotStartable(status="running"))


def test_an_error_without_a_sentence_has_its_kinds() -> None:
    class Strange(NotFound):
        code = "test.strange"

    assert words_of(Strange()) == say("not_found", Language.ZH)
