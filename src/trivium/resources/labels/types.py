"""What a selector is made of."""

from __future__ import annotations

from enum import StrEnum

from trivium.base.values import Value


class Selecting(StrEnum):
    """How a label is held against a requirement, as Kubernetes has it."""

    IN = "in"  # `=` and `==` are this with one value
    NOT_IN = "notin"  # `!=` with one value; what lacks the key satisfies it
    EXISTS = "exists"
    NOT_EXISTS = "!"


class Requirement(Value, frozen=True):
    """One requirement of a selector; all must hold.

    See https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors for what each means.
    """

    key: str
    how: Selecting
    values: tuple[str, ...] = ()  # none for `EXISTS` and `NOT_EXISTS`
