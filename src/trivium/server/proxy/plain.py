"""The short way of plain requests: a GET with the very fields that one had before, for the same door in the same right.

Nothing is left out: fields that are the same bytes give what they gave before, the request line is judged, the right is
asked for anew, and an answer is judged as every answer is. As soon as anything is out of the ordinary, the request
becomes an `Exchange` as it would have been from the beginning, and goes on as that.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

from trivium.server.proxy.access import Credential, Pass
from trivium.server.proxy.answering import FIRST_FINAL, Terms, answer_of
from trivium.server.proxy.channel import Channel
from trivium.server.proxy.doors import Place
from trivium.server.proxy.heads import END, KEPT
from trivium.server.proxy.problems import Malformed
from trivium.server.proxy.upstreams import Upstream

if TYPE_CHECKING:
    from trivium.server.proxy.shared import Shared

_LINE: Final = re.compile(rb"GET (/[\x21-\x22\x24-\x7e]*+) HTTP/1\.1\r\n")
_MAY_HOLD_TOKEN: Final = re.compile(rb"%|token")


class Plan:
    """What became of a request, and would become of another with the same fields from the same client."""

    __slots__ = ("client", "credential", "cut", "fields", "passed", "place", "root", "terms")

    def __init__(
        self, place: Place, passed: Pass, credential: Credential, *, client: bytes, fields: bytes, terms: Terms
    ) -> None:
        self.place = place
        self.passed = passed
        self.credential = credential
        self.client = client
        self.fields = fields  # as the notebook gets them, whole lines
        self.terms = terms
        self.root = place.root.encode("ascii")  # of all paths that lead to the same door
        self.cut = len(place.prefix)


class Plans:
    """The plans for the last fields that came, by their bytes."""

    def __init__(self) -> None:
        self._plans: dict[bytes, Plan] = {}
        self.find: Callable[[bytes], Plan | None] = self._plans.get

    def learn(self, block: bytes, plan: Plan) -> None:
        """Keep the plan for the fields that are these bytes."""
        if len(self._plans) >= KEPT:
            self._plans.clear()
        self._plans[block] = plan


class Client(Protocol):
    """The connection that a plain request came on."""

    front: Channel
    peer: bytes

    def plainly_over(self) -> None:
        """The request was answered, and the connection is good for another."""
        ...

    def unfold(self) -> None:
        """Make an `Exchange` of the request, and let it go on."""
        ...


class Plain:
    """The plain requests of a connection, one after the other; the sink of their answers."""

    def __init__(self, shared: Shared, client: Client) -> None:
        self.is_under_way = False
        self.began = 0.0
        self.raw = b""
        self.sent = b""  # what the notebook was sent for it
        self.target = b""
        self.plan: Plan | None = None
        self.upstream: Upstream | None = None
        self._shared = shared
        self._client = client
        self._time = shared.loop.time

    def begin(self, raw: bytes) -> bool:
        """Ask the notebook, if `raw` is one plain request and no more."""
        line = _LINE.match(raw)
        if line is None:
            return False
        shared = self._shared
        plan = shared.plans.find(raw[line.end() :])
        if plan is None or plan.client != self._client.peer or shared.draining:
            return False
        target = line[1]
        if not target.startswith(plan.root) or len(raw) > min(shared.settings.head_bytes, shared.settings.target_bytes):
            return False
        if _MAY_HOLD_TOKEN.search(target) or shared.access.known(plan.place.door, plan.credential) is not plan.passed:
            return False
        upstream = shared.upstreams.take(plan.place.door, plan.passed.target, repeatable=True)
        if upstream is None:
            return False
        self.is_under_way = True
        self.began = self._time()
        self.raw = raw
        self.target = target
        self.plan = plan
        self.upstream = upstream
        path = target[plan.cut :]
        self.sent = b"GET %b HTTP/1.1\r\n%b\r\n" % (path, plan.fields)
        upstream.channel.sink = self
        upstream.channel.write(self.sent)
        return True

    def take(self, data: bytes) -> None:
        """The answer: handed on in one piece, if it is whole."""
        plan, upstream = self.plan, self.upstream
        if plan is None or upstream is None:
            return
        end = data.find(END) + len(END)
        if end >= len(END) and not self._shared.draining:
            try:
                answer = answer_of(data[:end], plan.terms)
            except Malformed:
                pass  # it will be told as such
            else:
                size = len(data) - end
                status = answer.head.status
                if answer.keeps and answer.stays and answer.length == size and status >= FIRST_FINAL:
                    self._client.front.write(answer.raw + data[end:])
                    self._shared.upstreams.give_back(upstream)
                    self._over(status, size)
                    return
        self._client.unfold()
        upstream.channel.sink.take(data)

    def end(self) -> None:
        """The notebook closed before it answered."""
        upstream = self.upstream
        self._client.unfold()
        if upstream is not None:
            upstream.channel.sink.end()

    def _over(self, status: int, size: int) -> None:
        shared = self._shared
        plan = self.plan
        self.is_under_way = False
        shared.metrics.requests[status] += 1
        shared.metrics.sent += size
        if shared.tell is not None and plan is not None:
            shared.tell_request(
                "GET", self.target, status, notebook=plan.place.door.notebook, began=self.began, sent=size
            )
        self._client.plainly_over()
