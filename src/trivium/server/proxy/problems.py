"""Why a request is answered by the proxy itself."""

from __future__ import annotations


class Problem(Exception):
    """An answer of ours in place of the notebook's: a status and a sentence of the catalogue."""

    def __init__(self, status: int, code: str, /, **details: object) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        self.details = details


class Moved(Exception):
    """The address is right but for its spelling; `location` is the right one."""

    def __init__(self, location: bytes, *, status: int = 307, cookie: str | None = None) -> None:
        super().__init__("moved")
        self.status = status
        self.location = location
        self.cookie = cookie


class Gone(Exception):
    """The other side closed, or the connection broke, before all was said."""


class Malformed(Exception):
    """What came is not HTTP as we take it. `status` is what a client is told; a notebook's fault is always 502."""

    def __init__(self, status: int, code: str = "proxy.malformed") -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
