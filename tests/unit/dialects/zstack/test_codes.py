"""Every error of Trivium has a status, a code and words of ZStack's."""

from __future__ import annotations

import re

import pytest

from tests.every_error import every_error, made
from trivium.base.errors import (
    Conflict,
    Forbidden,
    Internal,
    Invalid,
    Missing,
    NotFound,
    OverQuota,
    TriviumError,
    Unavailable,
    Unsupported,
    WrongState,
)
from trivium.base.reasons import Reason
from trivium.dialects.reading import Malformed, Mistyped
from trivium.dialects.zstack import envelope, errors, refusals
from trivium.dialects.zstack.codes import DESCRIPTIONS, FINER, told_of
from trivium.resources.operations import OperationExists
from trivium.resources.users import AccountFrozen, SessionExpired, SessionUnknown, UserDisabled, WrongPassword
from trivium.store import TooSlow

CODE = re.compile(r"(SYS|ID)\.1\d{3}")


@pytest.mark.parametrize("error", every_error("zstack"), ids=lambda error: f"{error.__module__}.{error.__name__}")
def test_every_error_has_a_status_a_code_and_words(error: type[TriviumError]) -> None:
    one = made(error)
    told, shown = told_of(one), envelope.error_code(one)
    assert CODE.fullmatch(told.code)
    assert (told.status == 500) is isinstance(one, Internal)
    assert 400 <= told.status <= 503
    assert shown.code == told.code
    assert shown.description == f"{DESCRIPTIONS[told.code]}: {shown.details}"
    assert shown.details.strip()


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Missing("name"), 503, "SYS.1007"),
        (Invalid("name"), 503, "SYS.1007"),
        (Malformed("body"), 400, "SYS.1007"),
        (Mistyped("limit", "integer"), 400, "SYS.1007"),
        (Mistyped("system", "boolean"), 400, "SYS.1007"),
        (Mistyped("name", "string"), 503, "SYS.1007"),
        (errors.NoOperator("q"), 400, "SYS.1007"),
        (errors.NoSuchField("q"), 503, "SYS.1000"),
        (errors.BadValue("q"), 503, "SYS.1007"),
        (refusals.NoCredentials(), 400, "SYS.1007"),
        (refusals.BadCredentials(), 400, "SYS.1007"),
        (refusals.BadHeader("X-Job-UUID"), 400, "SYS.1007"),
        (refusals.NoAction("body"), 400, "SYS.1007"),
        (refusals.NoSuchMessage(), 503, "SYS.1008"),
        (refusals.NoSuchJob(), 404, "SYS.1003"),
        (refusals.NoSuchInterface(), 404, "SYS.1008"),
        (refusals.NotServed(), 404, "SYS.1008"),
        (refusals.WrongMethod(), 405, "SYS.1008"),
        (refusals.BodyTooLarge(), 413, "SYS.1007"),
        (SessionUnknown(), 503, "ID.1001"),
        (SessionExpired(), 503, "ID.1001"),
        (WrongPassword(), 503, "ID.1000"),
        (UserDisabled(name="a"), 503, "ID.1000"),
        (AccountFrozen(), 503, "ID.1002"),
        (Forbidden(), 503, "ID.1002"),
        (OverQuota(), 503, "ID.1003"),
        (NotFound(), 503, "SYS.1003"),
        (Conflict(), 503, "SYS.1006"),
        (OperationExists(uuid="0"), 400, "SYS.1007"),
        (WrongState(), 503, "SYS.1006"),
        (Unsupported(), 503, "SYS.1006"),
        (Unavailable(), 503, "SYS.1006"),
        (TooSlow(), 503, "SYS.1001"),
        (TriviumError(), 500, "SYS.1000"),
    ],
)
def test_an_error_is_what_zstack_says(error: TriviumError, status: int, code: str) -> None:
    told = told_of(error)
    assert (told.status, told.code) == (status, code)


def test_each_finer_code_is_that_of_an_error() -> None:
    codes = {error.code for error in every_error("zstack")}
    assert set(FINER) - codes == set()


def test_a_reason_is_told_as_an_error_of_its_code() -> None:
    slow = envelope.error_code_of(Reason(code="store.too_slow"))
    assert slow.code == envelope.error_code(TooSlow()).code
    assert envelope.error_code_of(Reason(code="notebook.not_found")).code == "SYS.1006"


def test_what_is_wrong_with_a_request_names_the_field() -> None:
    assert "name" in envelope.error_code(Missing("name")).details
    rule = "a name has 1 to 64 characters"
    assert rule in envelope.error_code(Invalid("name", rule)).details
