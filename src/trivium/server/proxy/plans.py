"""What was worked out for a request's fields, kept for requests with the very same fields (`fast_path`)."""

from __future__ import annotations

from collections.abc import Callable

from trivium.base.values import Value
from trivium.server.proxy.access import Admission, Credential
from trivium.server.proxy.answering import AnswerRules
from trivium.server.proxy.heads import KEPT


class Plan(Value, frozen=True):
    """How a GET with certain fields is forwarded."""

    client: bytes  # the client's address, which is among the fields that the notebook gets
    credential: Credential  # what the fields show
    admission: Admission  # what it was answered with; the plan is good as long as it still is
    root: bytes  # what the target begins with: paths of the same endpoint
    cut: int  # bytes of the target that the notebook does not get
    fields: bytes  # as the notebook gets them, whole lines
    rules: AnswerRules


class PlanCache:
    """Plans by the bytes of the fields that they are for; `KEPT` of at most `LONGEST_KEPT` bytes of fields each."""

    def __init__(self) -> None:
        self._plans: dict[bytes, Plan] = {}
        self.find: Callable[[bytes], Plan | None] = self._plans.get

    def add(self, block: bytes, plan: Plan) -> None:
        """Keep a plan in place of any other for the same fields."""
        if len(self._plans) >= KEPT:
            self._plans.clear()
        self._plans[block] = plan
