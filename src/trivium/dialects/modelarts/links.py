"""Links to files of samples: addresses that whoever has them may read, with nothing else to show.

A link stands for the session or key pair that it was shown to, and is good as long as that is, and no longer than an
hour and some minutes. It is signed with the server's key, for one path and what is to be made of the file.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import Final
from urllib.parse import urlencode

import msgspec

from trivium.base.caller import Caller
from trivium.base.clock import EPOCH
from trivium.base.keyring import Keyring
from trivium.base.values import Value
from trivium.dialects.modelarts.spelling import Text
from trivium.dialects.operation import Request, Wire
from trivium.dialects.wire import read_query

PURPOSE: Final = "modelarts.link"
LIFETIME: Final = timedelta(hours=1)
"""How long a link is good for at least."""

STEP: Final = timedelta(minutes=10)
"""Links to one file that are made within such a span are one link, which a browser asks for once."""

SECOND: Final = timedelta(seconds=1)
MAC: Final = 16  # bytes
SESSION: Final = "S"
KEY: Final = "K"
ACCESS_KEY: Final = re.compile(r"(?P<kind>[SK])(?P<number>[1-9][0-9]{0,18})", re.ASCII)
SECONDS: Final = re.compile(r"[0-9]{1,12}", re.ASCII)


class LinkQuery(Wire, frozen=True, kw_only=True):
    """What the query of a link has, by the names that those of object storage have."""

    access_key: Text = msgspec.field(name="AccessKeyId", default=None)
    expires: Text = msgspec.field(name="Expires", default=None)
    signature: Text = msgspec.field(name="Signature", default=None)
    process: Text = msgspec.field(name="x-image-process", default=None)


class Link(Value, frozen=True):
    """A link that a request shows."""

    access_key: str
    expires: str
    process: str
    signature: str

    @property
    def of_session(self) -> bool:
        """Whether it stands for a session, and not for a key pair."""
        return self.access_key.startswith(SESSION)

    @property
    def number(self) -> int:
        """The id of the session or the key pair."""
        return int(self.access_key[1:])


class Links:
    """Makes links and tells whether one is good. The same on every server that has the same key file."""

    def __init__(self, keyring: Keyring) -> None:
        self._key = keyring.derive(PURPOSE)

    def maker(self, base_url: str, caller: Caller, *, now: datetime) -> Callable[[str, str], str]:
        """What makes links in the caller's name: of a path, which needs no escapes, and what is made of its file."""
        number = caller.session or caller.key
        if number is None:
            return lambda path, _process: f"{base_url}{path}"
        until = now - (now - EPOCH) % STEP + STEP + LIFETIME
        access_key = f"{KEY if caller.session is None else SESSION}{number}"
        expires = str((until - EPOCH) // SECOND)
        said = {"AccessKeyId": access_key, "Expires": expires}

        @cache
        def query(process: str) -> str:
            return urlencode(said | ({"x-image-process": process} if process else {}))

        def address(path: str, process: str) -> str:
            signature = self._signature(path, access_key, expires=expires, process=process)
            return f"{base_url}{path}?{query(process)}&Signature={signature}"

        return address

    def is_good(self, link: Link, path: str, now: datetime) -> bool:
        """Whether a link was made here for that path and what it asks for, and is not too old."""
        made = self._signature(path, link.access_key, expires=link.expires, process=link.process)
        if not hmac.compare_digest(made.encode(), link.signature.encode()):
            return False
        return EPOCH + timedelta(seconds=int(link.expires)) > now

    def _signature(self, path: str, access_key: str, *, expires: str, process: str) -> str:
        said = f"{path}\0{access_key}\0{expires}\0{process}".encode()
        return base64.urlsafe_b64encode(hmac.digest(self._key, said, "sha256")[:MAC]).rstrip(b"=").decode()


def shown(request: Request) -> Link | None:
    """The link that a request shows; None where it shows none, or nothing that could be one."""
    if b"Signature=" not in request.query:
        return None
    asked = read_query(request.query, LinkQuery)
    access_key, expires = asked.access_key or "", asked.expires or ""
    if not asked.signature or not ACCESS_KEY.fullmatch(access_key) or not SECONDS.fullmatch(expires):
        return None
    return Link(access_key=access_key, expires=expires, process=asked.process or "", signature=asked.signature)
