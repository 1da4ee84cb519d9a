"""What each error is called in ZStack: a status, a code, and the words of both.

The codes are those of ZStack's own server, as its "ZStack RESTful API" and its published sources have them: `SYS` is of
the system, `ID` of identity. A request that ran and failed is 503, whatever it failed for; what is wrong with how it is
written is 400. Nothing that is missing is 404, save paths and jobs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from trivium.base.errors import (
    Conflict,
    Forbidden,
    Internal,
    Invalid,
    NotFound,
    OverQuota,
    TriviumError,
    Unauthenticated,
    Unavailable,
    Unsupported,
    WrongState,
)
from trivium.base.reasons import Reason
from trivium.base.text import Language, say
from trivium.dialects.reading import Malformed, Mistyped
from trivium.dialects.zstack.errors import OF_QUERIES, Told
from trivium.dialects.zstack.refusals import (
    BadCredentials,
    BadHeader,
    BodyTooLarge,
    JobTookTooLong,
    NoAction,
    NoCredentials,
    NoMessage,
    NoSuchInterface,
    NoSuchJob,
    NoSuchMessage,
    NotServed,
    WrongMethod,
)

DESCRIPTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "SYS.1000": "an internal error happened in the system",
        "SYS.1001": "the operation timed out",
        "SYS.1003": "the resource cannot be found",
        "SYS.1006": "the operation failed",
        "SYS.1007": "one or more arguments are invalid",
        "SYS.1008": "the message is unknown",
        "ID.1000": "the authentication failed",
        "ID.1001": "the session is invalid",
        "ID.1002": "the permission is denied",
        "ID.1003": "the quota is exceeded",
    }
)
"""What the codes mean, which an error's `description` begins with."""

BODY: Final = "body"
"""What is wrong with the whole body is told of by this name."""

OUTRIGHT: Final = ("integer", "number", "boolean")
"""Types whose values are looked at before a call is taken; whatever else is wrong with a value fails the call."""


def _failed(code: str) -> Told:
    return Told(status=HTTPStatus.SERVICE_UNAVAILABLE, code=code)


NO_SUCH_THING: Final = "zstack.no_such_thing"
"""What is said of whatever is not there, where its uuid is known."""

WIRE_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "store": "modelCenterUuid",
        "gpu_constraint": "gpuConstraintDescription",
        "recommended_gpu_num": "recommendedGpuNum",
        "vendor_specs": "vendorToSpecUuidsMap",
        "distributed": "supportDistributed",
        "architectures": "cpuArchitectures",
        "images": "architectureImages",
        "usages": "usageScenarios",
    }
)
"""What fields of the core's are called on the wire, where that is another word."""

WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "user.wrong_password": "zstack.wrong_password",
        **dict.fromkeys(("session.unknown", "session.expired", "session.ended"), "zstack.session_expired"),
    }
)
"""Where ZStack's clients look for words of its own server, by the code of the error: the code of these words."""

RESOURCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "model.not_found": "ModelVO",
        "model_store.not_found": "ModelCenterVO",
        "model_service.not_found": "ModelServiceVO",
        "service_group.not_found": "ModelServiceInstanceGroupVO",
        "dataset.not_found": "DatasetVO",
        "mark.not_found": "UserTagVO",
    }
)
"""What is not there, by the code of the error: its class in ZStack's server."""

_CORE_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+")
_UNDERSCORED: Final = re.compile(r"_([a-z0-9])")

UNREADABLE: Final = Told(status=HTTPStatus.BAD_REQUEST, code="SYS.1007")
FAILED: Final = _failed("SYS.1006")

BY_KIND: Final[tuple[tuple[type[TriviumError], Told], ...]] = (
    (Invalid, _failed("SYS.1007")),
    (Unauthenticated, _failed("ID.1001")),
    (Forbidden, _failed("ID.1002")),
    (NotFound, _failed("SYS.1003")),
    (Conflict, FAILED),
    (WrongState, FAILED),
    (OverQuota, _failed("ID.1003")),
    (Unsupported, FAILED),
    (Unavailable, FAILED),
    (Internal, Told(status=HTTPStatus.INTERNAL_SERVER_ERROR, code="SYS.1000")),
)
"""What the kinds of errors are called."""

FINER: Final[Mapping[str, Told]] = MappingProxyType(
    {
        **{error.code: told for error, told in OF_QUERIES.items()},
        "invalid.malformed": UNREADABLE,
        "operation.exists": UNREADABLE,
        "query.unknown_field": _failed("SYS.1000"),
        "query.unknown_relation": _failed("SYS.1000"),
        "store.too_slow": _failed("SYS.1001"),
        JobTookTooLong.code: _failed("SYS.1001"),
        "user.wrong_password": _failed("ID.1000"),
        "user.disabled": _failed("ID.1000"),
        NoCredentials.code: UNREADABLE,
        BadCredentials.code: UNREADABLE,
        BadHeader.code: UNREADABLE,
        NoAction.code: UNREADABLE,
        NoMessage.code: _failed("SYS.1008"),
        NoSuchMessage.code: _failed("SYS.1008"),
        NoSuchJob.code: Told(status=HTTPStatus.NOT_FOUND, code="SYS.1003"),
        NoSuchInterface.code: Told(status=HTTPStatus.NOT_FOUND, code="SYS.1008"),
        NotServed.code: Told(status=HTTPStatus.NOT_FOUND, code="SYS.1008"),
        WrongMethod.code: Told(status=HTTPStatus.METHOD_NOT_ALLOWED, code="SYS.1008"),
        BodyTooLarge.code: Told(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE, code="SYS.1007"),
    }
)
"""Where ZStack is finer than the kind of an error."""


def told_of(error: TriviumError) -> Told:
    """The status and the code of an error."""
    if isinstance(error, Mistyped) and (error.field == BODY or error.details.get("expected") in OUTRIGHT):
        return UNREADABLE
    finer = FINER.get(error.code)
    if finer is not None:
        return finer
    internal = BY_KIND[-1][1]
    return next((told for kind, told in BY_KIND if isinstance(error, kind)), internal)


def told_of_reason(reason: Reason) -> Told:
    """The same of why something that went on failed."""
    return FINER.get(reason.code, FAILED)


def words_of(error: TriviumError) -> str:
    """What is said of an error, in a sentence that names the field where one is wrong, as it is called on the wire."""
    field = error.field if isinstance(error, Invalid) else ""
    if type(error) not in OF_QUERIES:  # what is wrong with a query is told by the names that it has
        field = _wire_name(field)
    details = {**error.details, "field": field} if field else error.details
    resource = RESOURCES.get(error.code)
    if resource is not None and "uuid" in details:
        return say(NO_SUCH_THING, Language.EN, uuid=details["uuid"], type=resource)
    said = say(WORDS.get(error.code, error.code), Language.EN, **details)
    if said == error.code:
        kind = next((kind for kind, _ in BY_KIND if isinstance(error, kind)), Internal)
        said = say(kind.code, Language.EN, **details)
    if isinstance(error, Malformed) and error.message:  # which says what is malformed, and how
        return error.message
    if field not in said:
        return f"{field}: {said}"
    if type(error) is Invalid and error.message:  # it has no words of its own in the catalogue
        return f"{said.removesuffix('.')}: {error.message.removesuffix('.')}."
    return said


def _wire_name(field: str) -> str:
    """What a field of the core's is called here."""
    known = WIRE_NAMES.get(field)
    return known or (_UNDERSCORED.sub(lambda found: found[1].upper(), field) if _CORE_NAME.fullmatch(field) else field)
