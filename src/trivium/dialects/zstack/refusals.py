"""What a request can be refused for besides its query, which `errors` has."""

from __future__ import annotations

from trivium.base.errors import Invalid, Missing, NotFound, OverQuota, Unauthenticated, Unavailable, Unsupported


class NoCredentials(Unauthenticated):
    """The request has no `Authorization` header."""

    code = "zstack.no_credentials"


class BadCredentials(Unauthenticated):
    """The `Authorization` header is of another type, or is written as none."""

    code = "zstack.bad_credentials"


class BadHeader(Invalid):
    """A header is written as it cannot be."""

    code = "zstack.bad_header"


class NoAction(Invalid):
    """The body of an update names no action that the path has."""

    code = "zstack.no_action"


class UnknownLogin(Invalid):
    """There is no such way to log in."""

    code = "zstack.unknown_login"


class NoMessage(Unsupported):
    """What came over RPC is no message."""

    code = "zstack.no_message"


class NoSuchMessage(Unsupported):
    """A message of RPC is of a class that nothing here answers."""

    code = "zstack.no_such_message"


class NoSuchJob(NotFound):
    """There is no job of that uuid, or it ended so long ago that it was dropped."""

    code = "zstack.no_such_job"


class JobTookTooLong(Unavailable):
    """A job did not end within the time that its client gave it."""

    code = "zstack.job_took_too_long"


class NoSuchInterface(NotFound):
    """Nothing stands at the path."""

    code = "zstack.no_such_interface"


class NotServed(NotFound):
    """The interface is one of ZStack's that this installation does not serve; `coverage.toml` has the reason."""

    code = "zstack.not_served"


class WrongMethod(NotFound):
    """The path is known, the method is not."""

    code = "zstack.wrong_method"


class BodyTooLarge(OverQuota):
    """The body is larger than bodies may be."""

    code = "zstack.body_too_large"


class NoSuchUuid(NotFound):
    """A thing is named by what is no uuid, so there is none."""

    code = "zstack.no_such_uuid"


class NotRun(Unsupported):
    """Services are kept as entries of a catalogue, and none is run yet."""

    code = "zstack.not_run"


class NotDeployed(Unsupported):
    """Development services are notebooks, which are not made by this call."""

    code = "zstack.not_deployed"


class Mandatory(Missing):
    """A message lacks a field that it must have."""

    code = "zstack.mandatory"


class Empty(Missing):
    """A field of a message is an empty text or list, and must not be."""

    code = "zstack.empty"


class TooLong(Invalid):
    """A text of a message is longer than the field takes."""

    code = "zstack.too_long"


class NoSuchWord(Invalid):
    """The value of a field of a message is none of its words."""

    code = "zstack.no_such_word"
