"""What the proxy asks of the platform: who may use which endpoint of a notebook, and where that is reached."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from trivium.base.values import Value
from trivium.server.proxy.targets import OwnedPort, Target


class Kind(StrEnum):
    """What answers at an endpoint."""

    JUPYTER = "jupyter"
    SERVICE = "service"  # the user's own server inside the notebook


class Endpoint(Value, frozen=True, cache_hash=True):
    """One of the servers of a notebook."""

    notebook: str  # the id as the address spells it
    kind: Kind


class CredentialSource(StrEnum):
    """Where in a request a credential was found."""

    HEADER = "header"  # `Authorization: token …` or `Bearer …`
    LINK = "link"  # `?token=…`: a ticket, or a token that stays good while the notebook runs
    COOKIE = "cookie"  # a grant that an earlier link was exchanged for
    NONE = "none"


class Credential(Value, frozen=True, cache_hash=True):
    """What a request shows of who sent it."""

    source: CredentialSource
    secret: str = ""

    def __repr__(self) -> str:
        return f"Credential(source={self.source.value!r})"  # the secret stays out of logs and tracebacks


NOTHING = Credential(source=CredentialSource.NONE)


class Admission(Value, frozen=True):
    """Leave to use an endpoint: where it is reached, with what, and in whose right."""

    endpoint: Endpoint
    target: Target
    subject: str  # in whose right; `Proxy.close(subject=…)` and `Access.still_admitted` speak of it
    inject: tuple[tuple[str, str], ...] = ()  # headers for the upstream, in place of whatever the client sent
    grant: str | None = None  # what the cookie shall hold when a link was shown; None: no cookie is set

    def __repr__(self) -> str:
        return f"Admission(endpoint={self.endpoint!r}, target={self.target!r})"


class Refused(Exception):
    """No admission.

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
    """Decides about admission. Asked for every request."""

    def admit_now(self, endpoint: Endpoint, credential: Credential) -> Admission | None:
        """What `admit` would return, where that is certain without waiting: the same object as long as nothing changed.

        None: ask `admit`.
        """
        ...

    async def admit(self, endpoint: Endpoint, credential: Credential) -> Admission:
        """Leave to use the endpoint. Raises `Refused`; any other error refuses this one request, too."""
        ...

    async def still_admitted(self, admissions: Sequence[Admission]) -> Sequence[bool]:
        """For each admission, in their order: whether it would be given again. An error changes nothing."""
        ...

    async def find_host(self, target: OwnedPort) -> str | None:
        """The host at which the notebook's processes listen on the port; None when they do not."""
        ...

    async def is_accepted(self, target: OwnedPort, host: str, client: tuple[str, int]) -> bool:
        """Whether the connection from `client` to the target at `host` was accepted by the notebook's own processes."""
        ...
