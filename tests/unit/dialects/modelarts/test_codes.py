"""Every error of Trivium has a status, a code and words of ModelArts'."""

from __future__ import annotations

import re

import pytest

from tests.every_error import every_error, made
from trivium.base.errors import Forbidden, Internal, Invalid, Missing, NotFound, TriviumError, Unavailable
from trivium.dialects.modelarts import errors
from trivium.dialects.modelarts.codes import told_of
from trivium.dialects.reading import Malformed, Mistyped
from trivium.resources.images import ImageExists, NoSuchImage
from trivium.resources.nodes import NoCapacity, NoRoom
from trivium.resources.notebooks import (
    BadName,
    FreeTaken,
    NoSuchAttachment,
    NoSuchNotebook,
    NotReleasable,
    NotRunning,
    NotStartable,
    NotStoppable,
    NotStopped,
    VolumeShrinks,
)
from trivium.resources.pools import NoSuchPool
from trivium.resources.users import AccountFrozen, SessionExpired, UserDisabled
from trivium.resources.workspaces import NoSuchWorkspace, WorkspaceIsDefault

CODE = re.compile(r"(ModelArts\.\d{4}(\d{4})?|APIGW\.\d{4})")


@pytest.mark.parametrize("error", every_error("modelarts"), ids=lambda error: error.__name__)
def test_every_error_has_a_status_a_code_and_words(error: type[TriviumError]) -> None:
    one = made(error)
    told = told_of(one)
    assert CODE.fullmatch(told.code)
    assert (told.status == 500) is isinstance(one, Internal)
    assert 400 <= told.status <= 503
    assert told.words.isascii()
    assert told.words.strip()


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Missing("name"), 400, "ModelArts.6335"),
        (Invalid("name"), 400, "ModelArts.0104"),
        (Malformed("body"), 400, "ModelArts.6400"),
        (Mistyped("limit", "integer"), 400, "ModelArts.6332"),
        (BadName("name"), 400, "ModelArts.6334"),
        (errors.NoCredentials(), 401, "APIGW.0301"),
        (SessionExpired(), 401, "APIGW.0301"),
        (UserDisabled(name="a"), 401, "APIGW.0301"),
        (Forbidden(), 403, "ModelArts.0108"),
        (AccountFrozen(), 403, "ModelArts.0108"),
        (errors.ProjectMismatch(), 403, "ModelArts.0210"),
        (NoSuchNotebook(), 400, "ModelArts.6309"),
        (NoSuchImage(), 400, "ModelArts.6797"),
        (NoSuchPool(), 404, "ModelArts.50015001"),
        (NotFound(), 404, "ModelArts.4204"),
        (errors.NoSuchInterface(path="/v1/x"), 404, "APIGW.0101"),
        (errors.BodyTooLarge(limit=1), 413, "ModelArts.4104"),
        (errors.NotSortable("sort_key", key="x"), 400, "ModelArts.6303"),
        (errors.UnknownWorkspace("workspace_id"), 400, "ModelArts.0102"),
        (errors.BadContinue("continue"), 400, "ModelArts.50004000"),
        (errors.BadDescription("description", longest=512), 400, "ModelArts.6334"),
        (errors.LeaseMissing("duration"), 400, "ModelArts.6348"),
        (errors.LeaseOutOfBounds("duration", least=1, most=2), 400, "ModelArts.6349"),
        (FreeTaken(), 400, "ModelArts.6302"),
        (NotStopped(status="running"), 400, "ModelArts.6347"),
        (VolumeShrinks("capacity", capacity=1), 400, "ModelArts.6331"),
        (NoSuchAttachment(), 400, "ModelArts.6404"),
        (NoSuchWorkspace(), 400, "ModelArts.7005"),
        (WorkspaceIsDefault(), 400, "ModelArts.3566"),
        (ImageExists(path="p"), 400, "ModelArts.6737"),
        (NotStartable(status="running"), 400, "ModelArts.6305"),
        (NotStartable(status="starting"), 400, "ModelArts.6306"),
        (NotStartable(status="stopping"), 400, "ModelArts.6357"),
        (NotStoppable(status="stopped"), 400, "ModelArts.6307"),
        (NotStoppable(status="stopping"), 400, "ModelArts.6308"),
        (NotReleasable(status="creating"), 400, "ModelArts.6357"),
        (NotRunning(status="stopped"), 400, "ModelArts.6327"),
        (NoCapacity(kind="cpu", count=1), 400, "ModelArts.6329"),
        (Unavailable(), 503, "ModelArts.6101"),
        (TriviumError(), 500, "ModelArts.0010"),
    ],
    ids=lambda part: type(part).__name__ if isinstance(part, TriviumError) else None,
)
def test_an_error_is_what_the_pages_say(error: TriviumError, status: int, code: str) -> None:
    told = told_of(error)
    assert (told.status, told.code) == (status, code)


def test_an_unknown_key_and_a_wrong_secret_are_one_error() -> None:
    assert told_of(errors.SignatureRefused()) == told_of(errors.SignatureRefused())
    assert told_of(errors.SignatureRefused()).words == (
        "Incorrect IAM authentication information: verify aksk signature fail"
    )


def test_what_is_wrong_with_a_request_names_the_field() -> None:
    assert "sort_dir" in told_of(errors.NotOneOf("sort_dir", words="ASC, DESC")).words
    assert "name" in told_of(Missing("name")).words


def test_what_is_wrong_with_a_value_is_said() -> None:
    rule = "a workspace's name has 4 to 64 letters, digits, - and _"
    assert told_of(Invalid("name", rule)).words == f"The value of name is not valid: {rule}."
    assert told_of(Invalid("name")).words == "The value of name is not valid."
    assert told_of(errors.BadNotebookName("name")).words == "A notebook's name has 1 to 128 letters, digits, - and _."
    assert told_of(NoRoom(count=50, flavor="cpu.2u"), "/v2/p/pools").words == (
        "Bad request. The machines have no room for 50 more nodes of the flavor cpu.2u."
    )
