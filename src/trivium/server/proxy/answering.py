"""An answer's head: judged, and made into what the client gets in its place."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from trivium.base.values import Value
from trivium.server.proxy.doors import Place
from trivium.server.proxy.framing import Body, Fixed, UntilClose, answer_body, answer_length
from trivium.server.proxy.heads import KEPT, LONGEST_KEPT, AnswerHead, RequestHead, parse_answer
from trivium.server.proxy.rewriting import answer_head, untouched_answer
from trivium.server.proxy.websockets import UPGRADE

FIRST_FINAL: Final = 200
SWITCHING: Final = 101


class Terms(Value, frozen=True, cache_hash=True):
    """What else decides what a client gets."""

    method: str
    minor: int  # of the client's HTTP/1.x
    may_keep: bool  # its connection is good for another request
    host: bytes
    root: str
    prefix: bytes
    is_far: bool  # the answer comes from another proxy of ours
    fields: int  # how many it may have


class Answer(Value, frozen=True):
    """What becomes of an answer's head. The same bytes on the same terms give the same."""

    head: AnswerHead
    raw: bytes  # for the client
    length: int  # of the body, -1: it tells itself where it ends
    kind: Callable[[], Body]  # the body, where it has no length
    keeps: bool  # the client's connection
    stays: bool  # the notebook's

    def body(self) -> Body:
        """The body that follows."""
        return Fixed(self.length) if self.length >= 0 else self.kind()


def terms_of(head: RequestHead, place: Place, host: bytes, *, may_keep: bool, is_far: bool, fields: int) -> Terms:
    """The terms on which a request is answered; `fields`: how many the answer may have."""
    return Terms(
        method=head.method,
        minor=head.minor,
        may_keep=may_keep and head.minor == 1 and not head.fields.closes,
        host=host,
        root=place.root,
        prefix=place.prefix,
        is_far=is_far,
        fields=fields,
    )


def answer_of(raw: bytes, terms: Terms) -> Answer:
    """What becomes of the head `raw`, empty line included. Raises `Malformed`."""
    return _kept(raw, terms) if len(raw) <= LONGEST_KEPT else _judged(raw, terms)


def _judged(raw: bytes, terms: Terms) -> Answer:
    head = parse_answer(raw, terms.fields)
    if head.status < FIRST_FINAL:
        shown = _shown(head, terms, UPGRADE) if head.status == SWITCHING else b""
        return Answer(head=head, raw=shown, length=0, kind=UntilClose, keeps=False, stays=True)
    body = answer_body(head, terms.method, minor=terms.minor)
    is_fixed = isinstance(body, Fixed)
    keeps = terms.may_keep and (is_fixed or terms.minor == 1)
    framing = answer_length(head, body)
    if not is_fixed:
        framing = b"Transfer-Encoding: chunked\r\n" if terms.minor == 1 else b""
    return Answer(
        head=head,
        raw=_shown(head, terms, framing if keeps else framing + b"Connection: close\r\n"),
        length=body.left if isinstance(body, Fixed) else -1,
        kind=type(body) if not isinstance(body, Fixed) else UntilClose,
        keeps=keeps,
        stays=head.minor == 1 and not head.fields.closes and not isinstance(body, UntilClose),
    )


_kept = lru_cache(KEPT)(_judged)


def _shown(head: AnswerHead, terms: Terms, framing: bytes) -> bytes:
    if terms.is_far:
        return untouched_answer(head, framing=framing)
    return answer_head(head, root=terms.root, prefix=terms.prefix, host=terms.host, framing=framing)
