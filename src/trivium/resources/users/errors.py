"""What can go wrong with users, keys and sessions."""

from __future__ import annotations

from trivium.base.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated, Unavailable, WrongState


class UserNotFound(NotFound):
    """No such user that the caller may see."""

    code = "user.not_found"


class UserNameTaken(Conflict):
    """The domain has a user of that name, perhaps spelt with other capitals."""

    code = "user.name_taken"


class BadUserName(Invalid):
    """The name does not follow the rules of `names.check`."""

    code = "user.bad_name"


class BadPassword(Invalid):
    """The password is empty or absurdly long."""

    code = "user.bad_password"


class LastAdmin(WrongState):
    """Without this user nobody could administer the installation."""

    code = "user.last_admin"


class UserHolds(WrongState):
    """The user still has something that must be released first."""

    code = "user.holds"


class StatusForbids(WrongState):
    """That move is not possible from the status that the user has."""

    code = "user.status_forbids"


class WrongPassword(Unauthenticated):
    """Name or password is wrong; which of them is not said."""

    code = "user.wrong_password"


class TooManyLogins(Unavailable):
    """As many passwords as may be are being checked."""

    code = "user.too_many_logins"


class UserDisabled(Unauthenticated):
    """The user is disabled."""

    code = "user.disabled"


class UserGone(Unauthenticated):
    """The user was deleted."""

    code = "user.gone"


class AccountFrozen(Forbidden):
    """The account is stopped: it may look at nothing and change nothing."""

    code = "user.frozen"


class ProjectClosed(Unauthenticated):
    """The project is disabled, or the user has no role in it any more."""

    code = "user.project_closed"


class KeyNotFound(NotFound):
    """No such key pair that the caller may see."""

    code = "key.not_found"


class KeyRefused(Unauthenticated):
    """The key pair is disabled or was deleted."""

    code = "key.refused"


class SessionUnknown(Unauthenticated):
    """There is no such session."""

    code = "session.unknown"


class SessionExpired(Unauthenticated):
    """The session's time is over."""

    code = "session.expired"


class SessionEnded(Unauthenticated):
    """The session was ended."""

    code = "session.ended"


class KeyringMismatch(Unavailable):
    """The secrets in the database are sealed under another key file."""

    code = "keyring.mismatch"
