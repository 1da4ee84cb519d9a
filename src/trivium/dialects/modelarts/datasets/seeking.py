"""What a list of samples is asked for, and in which order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trivium.base.query import AnyOf, Condition, Offset, Op, Order, Query
from trivium.dialects.modelarts.datasets.elsewhere import label_of
from trivium.dialects.modelarts.datasets.finding import LABEL_TYPES
from trivium.dialects.modelarts.paging import numbered_page
from trivium.dialects.modelarts.spelling import Text, one_of
from trivium.dialects.operation import Read, Wire
from trivium.dialects.reading import OutOfBounds
from trivium.resources.datasets.ports import LabelType, SampleKind
from trivium.resources.samples import Range, SampleState, Sought, SoughtLabels
from trivium.resources.transfers import Version

FEW: Final = 10
MOST: Final = 100
KINDS: Final = tuple(int(kind) for kind in SampleKind)
LABELLED: Final = (SampleState.ANNOTATED.value, SampleState.AUTOMATIC.value)
STATES: Final[Mapping[str, tuple[int, ...]]] = {
    "__ALL__": LABELLED,
    "__NONE__": (SampleState.BARE.value,),
    "__AUTO_ANNOTATION__": (SampleState.UNCONFIRMED.value,),
}
OF_TEAMS: Final = (
    *("__UNCHECK__", "__ACCEPTED__", "__REJECTED__", "__UNREVIEWED__", "__REVIEWED__", "__WORKFORCE_SAMPLED__"),
    *(f"__WORKFORCE_SAMPLED_{word}__" for word in ("UNCHECK", "CHECKED", "ACCEPTED", "REJECTED")),
)
"""States that samples are in while teams label them: none ever is."""


class SamplesQuery(Wire, frozen=True, kw_only=True):
    """What is asked of the list; the offset counts pages."""

    limit: int | None = None
    offset: int | None = None
    version_id: Text = None
    label_name: Text = None
    label_type: int | None = None
    sample_state: Text = None
    sample_type: int | None = None
    low_score: float | None = None
    high_score: float | None = None
    order: Text = None
    search_conditions: Text = None
    process_parameter: Text = None
    email: Text = None  # of somebody who labels in a team: nobody does


def samples_query(asked: SamplesQuery) -> Query:
    """The list that is asked for, labels and conditions apart. `OutOfBounds`, `NotOneOf`."""
    page = page_of(asked)
    descending = one_of(asked.order, "order", ("asc", "desc")) != "asc"
    states = _states(asked)
    where: list[Condition] = []
    if states:
        where.append(_among("state", states))
    if asked.sample_type is not None:
        if asked.sample_type not in KINDS:
            raise OutOfBounds("sample_type", f"one of {', '.join(map(str, KINDS))}")
        where.append(Condition(field="kind", op=Op.EQ, value=asked.sample_type))
    score = _score(asked)
    if score is not None:
        where += [Condition(field="score", op=Op.GE, value=score.least)]
        where += [Condition(field="score", op=Op.LE, value=score.most)]
    return Query(
        where=tuple(where),
        tree=AnyOf(parts=()) if states == () else None,
        order=(Order(field="id", descending=descending),),
        page=page,
    )


def page_of(asked: SamplesQuery) -> Offset:
    """The page that is asked for. `OutOfBounds`."""
    return numbered_page(asked.limit, asked.offset, default=FEW, most=MOST)


def states_of(state: Text, *, email: Text) -> tuple[int, ...] | None:
    """The states that samples must be in; none of them is in what teams do. None: whichever. `NotOneOf`."""
    word = one_of(state, "sample_state", (*STATES, *OF_TEAMS))
    if (email or "").strip():
        return ()
    return None if word is None else STATES.get(word, ())


def _states(asked: SamplesQuery) -> tuple[int, ...] | None:
    return states_of(asked.sample_state, email=asked.email)


def _score(asked: SamplesQuery) -> Range | None:
    """The confidence that is sought; None where it is what it is for all, and for those without any. `OutOfBounds`."""
    least, most = 0.0 if asked.low_score is None else asked.low_score, asked.high_score
    most = 1.0 if most is None else most
    for field, score in (("low_score", least), ("high_score", most)):
        if not 0 <= score <= 1:
            raise OutOfBounds(field, "between 0 and 1")
    if least > most:
        raise OutOfBounds("low_score", "at most high_score")
    return Range(least, most) if (least, most) != (0, 1) else None


def of_type(asked: SamplesQuery) -> Sought:
    """The type that one of the labels is of, where it is told without a name. `OutOfBounds`."""
    if asked.label_type is None or asked.label_name:
        return Sought()
    if asked.label_type not in LABEL_TYPES:
        raise OutOfBounds("label_type", f"one of {', '.join(map(str, LABEL_TYPES))}")
    return Sought(type=LabelType(asked.label_type))


def sought_by(tx: Read, version: Version, asked: SamplesQuery) -> Sought:
    """What a query that is in order asks of the samples of a version. `NoSuchLabel`, `Missing`."""
    label = asked.label_name and label_of(tx, version, asked.label_name, type=asked.label_type)
    return Sought(
        states=_states(asked),
        kind=asked.sample_type,
        score=_score(asked),
        labels=SoughtLabels(labels=(label,)) if label else None,
    )


def _among(field: str, values: tuple[int, ...]) -> Condition:
    if len(values) == 1:
        return Condition(field=field, op=Op.EQ, value=values[0])
    return Condition(field=field, op=Op.IN, value=values)
