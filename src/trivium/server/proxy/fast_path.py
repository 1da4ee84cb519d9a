"""The fast path: a GET with the very fields that one had before, to the same endpoint, with the same admission.

It does in a third of the time what an `Exchange` does for such a request, and nothing less: fields that are the same
bytes give what they gave before, the request line is checked, admission is asked for anew, and the answer's head is
judged as every answer's is. Whatever is out of the ordinary ends it: the request becomes an `Exchange`, from its
beginning or, when it was sent already, from where it stands.
"""

from __future__ import annotations

import re
from typing import Final, Protocol

from trivium.base.values import Value
from trivium.server.proxy.access import Admission
from trivium.server.proxy.answering import Answer, answer_of
from trivium.server.proxy.channel import Channel
from trivium.server.proxy.context import Context
from trivium.server.proxy.heads import END
from trivium.server.proxy.plans import Plan
from trivium.server.proxy.problems import Malformed
from trivium.server.proxy.upstreams import Upstream

_REQUEST_LINE: Final = re.compile(rb"GET (/[\x21-\x22\x24-\x7e]*+) HTTP/1\.1\r\n")


class InFlight(Value, frozen=True):
    """A request that the notebook was sent, and whose answer is still to come."""

    raw: bytes  # its head, as the client sent it
    sent: bytes  # as the notebook got it
    began: float
    plan: Plan
    upstream: Upstream


class Client(Protocol):
    """The connection that requests come on."""

    front: Channel
    peer: bytes

    def fast_path_done(self, now: float) -> None:
        """The request was answered, and the connection is good for another."""
        ...

    def leave_fast_path(self) -> None:
        """Make an `Exchange` of the request in flight: it becomes the sink of what the notebook sends."""
        ...


class FastPath:
    """A connection's requests on the fast path, one after the other. It is the sink of their answers."""

    def __init__(self, context: Context, client: Client) -> None:
        self.began: float | None = None  # when the request in flight did; None: there is none
        self._context = context
        self._client = client
        self._time = context.loop.time
        self._longest = min(context.settings.head_bytes, context.settings.target_bytes)
        self._raw = b""
        self._sent = b""
        self._target = b""
        self._plan: Plan | None = None
        self._upstream: Upstream | None = None

    @property
    def admission(self) -> Admission | None:
        """That of the request in flight, if there is one."""
        return None if self.began is None or self._plan is None else self._plan.admission

    def begin(self, raw: bytes) -> bool:
        """Send `raw` on, if it is one whole request that may take the fast path. Nothing was done if not."""
        line = _REQUEST_LINE.match(raw)
        if line is None:
            return False
        context = self._context
        plan = context.plans.find(raw[line.end() :])
        if plan is None or plan.client != self._client.peer or context.draining or len(raw) > self._longest:
            return False
        target = line[1]
        if not target.startswith(plan.root) or b"%" in target or b"token" in target:  # it may hold a credential
            return False
        admission = plan.admission
        if context.access.admit_now(admission.endpoint, plan.credential) is not admission:
            return False
        upstream = context.upstreams.take(admission, repeatable=True)
        if upstream is None:
            return False
        self.began = self._time()
        self._raw = raw
        self._target = target
        self._plan = plan
        self._upstream = upstream
        self._sent = b"GET %b HTTP/1.1\r\n%b\r\n" % (target[plan.cut :], plan.fields)
        upstream.channel.sink = self
        upstream.channel.write(self._sent)
        return True

    def take_over(self) -> InFlight | None:
        """The request in flight, which is the caller's from now on; None if there is none."""
        if self.began is None or self._plan is None or self._upstream is None:
            return None
        request = InFlight(raw=self._raw, sent=self._sent, began=self.began, plan=self._plan, upstream=self._upstream)
        self.began = None
        return request

    # ---- from the notebook ----

    def take(self, data: bytes) -> None:
        """The answer: handed on in one piece if that is what came, else by an `Exchange`."""
        plan, upstream = self._plan, self._upstream
        if plan is None or upstream is None:
            return
        end = data.find(END) + len(END)
        answer = None if end < len(END) else self._judged(data[:end], plan)
        size = len(data) - end
        if answer is not None and answer.keeps and answer.stays and answer.length == size:
            self._client.front.write(answer.raw + data[end:])
            self._context.upstreams.give_back(upstream)
            self._done(plan, answer.head.status, size)
        else:
            self._client.leave_fast_path()
            upstream.channel.sink.take(data)

    def end(self) -> None:
        """The notebook closed before it answered."""
        upstream = self._upstream
        self._client.leave_fast_path()
        if upstream is not None:
            upstream.channel.sink.end()

    def _judged(self, raw: bytes, plan: Plan) -> Answer | None:
        """What becomes of an answer's head; None for one that is malformed, or judged otherwise by now."""
        if self._context.draining:
            return None
        try:
            return answer_of(raw, plan.rules)
        except Malformed:
            return None

    def _done(self, plan: Plan, status: int, size: int) -> None:
        context = self._context
        began, now = self.began, self._time()
        self.began = None
        context.metrics.requests[status] += 1
        context.metrics.sent += size
        context.request_log.add(
            "GET",
            self._target,
            status,
            notebook=plan.admission.endpoint.notebook,
            began=now if began is None else began,
            ended=now,
            received=0,
            sent=size,
        )
        self._client.fast_path_done(now)
