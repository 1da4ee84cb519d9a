"""An answer's head: judged, and made into what the client gets in its place."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from trivium.base.values import Value
from trivium.server.proxy.addresses import Place
from trivium.server.proxy.framing import Body, Fixed, UntilClose, answer_body, answer_length
from trivium.server.proxy.heads import KEPT, LONGEST_KEPT, AnswerHead, RequestHead, parse_answer
from trivium.server.proxy.rewriting import GUARD, answer_head, untouched_answer
from trivium.server.proxy.websockets import UPGRADE

FIRST_FINAL: Final = 200
SWITCHING: Final = 101


class AnswerRules(Value, frozen=True, cache_hash=True):
    """What decides what becomes of an answer's head, besides its bytes."""

    method: str
    minor: int  # of the client's HTTP/1.x
    may_keep: bool  # its connection is good for another request
    host: bytes
    root: str
    prefix: bytes
    is_far: bool  # the answer comes from another proxy of ours
    fields: int  # how many it may have
    guard: bytes = b""  # a line of ours that says which pages may include it


class Answer(Value, frozen=True):
    """What becomes of an answer's head: a function of its bytes and the rules alone, and so kept for both."""

    head: AnswerHead
    raw: bytes  # for the client
    length: int  # of the body, -1: it tells itself where it ends
    kind: Callable[[], Body]  # the body, where it has no length
    keeps: bool  # the client's connection
    stays: bool  # the notebook's

    def body(self) -> Body:
        """The body that follows."""
        return Fixed(self.length) if self.length >= 0 else self.kind()


def rules_for(
    head: RequestHead, place: Place, host: bytes, *, may_keep: bool, is_far: bool, fields: int
) -> AnswerRules:
    """The rules for the answer to a request; `fields`: how many the answer may have."""
    return AnswerRules(
        method=head.method,
        minor=head.minor,
        may_keep=may_keep and head.minor == 1 and not head.fields.closes,
        host=host,
        root=place.root,
        prefix=place.prefix,
        is_far=is_far,
        fields=fields,
        guard=GUARD if b"trivium-" in head.values.get(b"cookie", b"") else b"",
    )


def answer_of(raw: bytes, rules: AnswerRules) -> Answer:
    """What becomes of the head `raw`, empty line included. Raises `Malformed`."""
    return _kept(raw, rules) if len(raw) <= LONGEST_KEPT else _judged(raw, rules)


def _judged(raw: bytes, rules: AnswerRules) -> Answer:
    head = parse_answer(raw, rules.fields)
    if head.status < FIRST_FINAL:
        shown = _shown(head, rules, UPGRADE) if head.status == SWITCHING else b""
        return Answer(head=head, raw=shown, length=0, kind=UntilClose, keeps=False, stays=True)
    body = answer_body(head, rules.method, minor=rules.minor)
    is_fixed = isinstance(body, Fixed)
    keeps = rules.may_keep and (is_fixed or rules.minor == 1)
    framing = answer_length(head, body)
    if not is_fixed:
        framing = b"Transfer-Encoding: chunked\r\n" if rules.minor == 1 else b""
    return Answer(
        head=head,
        raw=_shown(head, rules, framing if keeps else framing + b"Connection: close\r\n"),
        length=body.left if isinstance(body, Fixed) else -1,
        kind=type(body) if not isinstance(body, Fixed) else UntilClose,
        keeps=keeps,
        stays=head.minor == 1 and not head.fields.closes and not isinstance(body, UntilClose),
    )


_kept = lru_cache(KEPT)(_judged)


def _shown(head: AnswerHead, rules: AnswerRules, framing: bytes) -> bytes:
    if rules.is_far:
        return untouched_answer(head, framing=framing)
    return answer_head(head, root=rules.root, prefix=rules.prefix, host=rules.host, framing=framing, guard=rules.guard)
