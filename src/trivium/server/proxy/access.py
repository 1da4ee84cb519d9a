"""What the proxy asks of the platform: may this credential pass this door, and where does the door lead."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from trivium.base.values import Value
from trivium.server.proxy.targets import OwnedPort, Target


class Kind(StrEnum):
    """What stands behind a door."""

    JUPYTER = "jupyter"
    SERVICE = "service"  # the user's own server inside the notebook


class Door(Value, frozen=True, cache_hash=True):
    """One way into one notebook."""

    notebook: str  # the id as the address spells it
    kind: Kind


class Way(StrEnum):
    """How a credential came."""

    HEADER = "header"  # `Authorization: token …` or `Bearer …`
    LINK = "link"  # `?token=…`: a ticket, or a token that stays good while the notebook runs
    COOKIE = "cookie"  # a grant that an earlier link was exchanged for
    NONE = "none"


class Credential(Value, frozen=True):
    """What a request shows at the door."""

    way: Way
    secret: str = ""

    def __repr__(self) -> str:
        return f"Credential(way={self.way.value!r})"  # the secret stays out of logs and tracebacks


NOTHING = Credential(way=Way.NONE)


class Pass(Value, frozen=True):
    """Leave to enter: where to, with what, and as whom."""

    target: Target
    subject: str  # in whose right; `Proxy.close(subject=…)` and `Access.still` speak of it
    inject: tuple[tuple[str, str], ...] = ()  # headers for the upstream, in place of whatever the client sent
    grant: str | None = None  # what the cookie shall hold when a link was shown; None: no cookie is set

    def __repr__(self) -> str:
        return f"Pass(target={self.target!r}, subject={self.subject!r})"


class Held(Value, frozen=True):
    """A pass that a living connection still uses."""

    door: Door
    passed: Pass


class Refused(Exception):
    """The door stays shut.

    `code` names a sentence of the catalogue in `base.text`, `details` fill it in. The statuses that make sense are
    401 (show something better), 403 (known and not allowed), 404 (no such notebook for anybody asking so) and 503
    (not running; the sentence says its state).
    """

    def __init__(self, status: int, code: str, /, **details: object) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        self.details = details


class Access(Protocol):
    """Who may enter. Asked for every request."""

    def known(self, door: Door, credential: Credential) -> Pass | None:
        """What `enter` would give, where that is certain without waiting: nothing has changed since it was asked."""
        ...

    async def enter(self, door: Door, credential: Credential) -> Pass:
        """Leave to enter, or `Refused`. Any other error shuts the door for this one request, too."""
        ...

    async def still(self, held: Sequence[Held]) -> Sequence[bool]:
        """For each pass, in their order: whether it would be given again. An error changes nothing."""
        ...

    async def find(self, target: OwnedPort) -> str | None:
        """The host at which the notebook's processes listen on the port; None when they do not."""
        ...

    async def accepted(self, target: OwnedPort, host: str, client: tuple[str, int]) -> bool:
        """Whether the connection from `client` to the target at `host` is in the hands of the notebook's own."""
        ...
