"""Whether lists of a dataset's samples and labels cost the same however many samples there are.

Datasets of two sizes, each imported from a manifest into a data directory of its own; one server for each, and each
question to both in turn, signed, each time for another page.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from http import HTTPStatus
from itertools import count
from pathlib import Path
from typing import Final

from benchmarks.huawei import Huawei
from benchmarks.plan import Plan
from benchmarks.processes import Place, Served, administer, scratch, serving
from benchmarks.report import Bound, Target, print_head, print_table, print_targets, sqlite
from benchmarks.rounds import interleaved, median
from trivium.base.values import Value

LABELS: Final = 50
BARE: Final = 5  # one in so many has no label
LABEL_NAME: Final = "thing-{}"
AS_TEXTS: Final = ("--manifest", "--type", "text-classification")
PAGE: Final = 20
LEAST_ROUNDS: Final = 15  # a single question is quick, and its times vary
LIBRARIES: Final = ("uvicorn", "uvloop", "httptools", "msgspec", "sqlalchemy")
LIST_OF_SAMPLES: Final = "data-annotations/samples"
LIST_OF_LABELS: Final = "data-annotations/labels"
FLAT: Final = 1.5
DEEP: Final = 3.0
"""What pages in the middle may cost, as in all our lists."""


class _Question(Value, frozen=True, kw_only=True):
    name: str
    most: float  # how many times what it costs in a small dataset it may cost in a large one
    targets: Callable[[int], Iterator[str]]  # of a dataset of so many samples, below its own path


class _Line(Value, frozen=True, kw_only=True):
    """What a question cost: medians of the datasets in seconds, the smallest first."""

    name: str
    most: float
    seconds: tuple[float, ...]

    @property
    def growth(self) -> float:
        """How many times what it costs in the smallest it costs in the largest."""
        return self.seconds[-1] / self.seconds[0]


def _labels(_: int) -> Iterator[str]:
    return (f"{LIST_OF_LABELS}?limit={limit}" for limit in count(LABELS))


def _pages(words: str = "", *, of: int = 1, middle: bool = False) -> Callable[[int], Iterator[str]]:
    """Pages, each of another size so that none was there before; `of` is what part of the samples they go through."""

    def targets(samples: int) -> Iterator[str]:
        for size in count(PAGE):
            offset = samples // of // 2 // size if middle else 0
            yield f"{LIST_OF_SAMPLES}?limit={size}&offset={offset}{words}"

    return targets


LABEL: Final = f"&label_name={LABEL_NAME.format(1)}&label_type=100"
QUESTIONS: Final = (
    _Question(name="labels", most=FLAT, targets=_labels),
    _Question(name="first page", most=FLAT, targets=_pages()),
    _Question(name="not labelled", most=FLAT, targets=_pages("&sample_state=__NONE__")),
    _Question(name="of a label", most=FLAT, targets=_pages(LABEL)),
    _Question(name="page in the middle", most=DEEP, targets=_pages(middle=True)),
    _Question(
        name="not labelled, in the middle", most=DEEP, targets=_pages("&sample_state=__NONE__", of=BARE, middle=True)
    ),
    _Question(name="of a label, in the middle", most=DEEP, targets=_pages(LABEL, of=LABELS, middle=True)),
)


def run(plan: Plan) -> None:
    """Measure and print."""
    with ExitStack() as stack:
        folder = plan.keep or stack.enter_context(scratch())
        places = [_dataset_of(size, folder) for size in plan.sizes]
        askers = [_Asker(stack.enter_context(serving(place))) for place in places]
        rounds = max(plan.rounds, LEAST_ROUNDS)
        lines: list[_Line] = []
        for question in QUESTIONS:
            ways = {
                place: asker.timing(question.targets(size))
                for place, (asker, size) in enumerate(zip(askers, plan.sizes, strict=True))
            }
            found = interleaved(ways, rounds)
            seconds = tuple(median(times, float) for times in found.values())
            lines.append(_Line(name=question.name, most=question.most, seconds=seconds))
        _print(lines, plan, rounds=rounds)


class _Asker:
    """Who asks about the one dataset of a server."""

    def __init__(self, served: Served) -> None:
        self._huawei = Huawei(served)
        self._connection = served.api.connect()
        (dataset,) = json.loads(self._huawei.get(f"/v2/{self._huawei.project}/datasets"))["datasets"]
        self._path = f"/v2/{self._huawei.project}/datasets/{dataset['dataset_id']}/"

    def timing(self, targets: Iterator[str]) -> Callable[[], float]:
        """Times one request after the other, from its first byte to its whole answer, over one connection."""
        return lambda: self._timed(self._path + next(targets))

    def _timed(self, target: str) -> float:
        signed = dict(self._huawei.signed("GET", target))
        began = time.perf_counter()
        self._connection.request("GET", target, headers=signed)
        answer = self._connection.getresponse()
        body = answer.read()
        took = time.perf_counter() - began
        assert answer.status == HTTPStatus.OK, body
        return took


def _dataset_of(size: int, folder: Path) -> Place:
    """A data directory with a dataset of so many texts: one in five has no label, the others one of fifty."""
    place = Place(data=folder / f"samples-{size}")
    made = place.data / "made"
    if not made.exists():
        manifest = place.data / "datasets" / "bench" / "lines.manifest"
        manifest.parent.mkdir(parents=True, exist_ok=True)
        with manifest.open("w") as out:
            out.writelines(json.dumps(_line(number)) + "\n" for number in range(size))
        told = administer(place, "dataset", "import", str(manifest), *AS_TEXTS, "--name", "bench")
        assert told["imported"] == size, told
        made.touch()
    return place


def _line(number: int) -> dict[str, object]:
    label = {"type": "modelarts/text_classification", "name": LABEL_NAME.format(number % LABELS)}
    is_bare = number // LABELS % BARE == 0
    return {"source": f"content://what is said in line {number}", "annotation": [] if is_bare else [label]}


def _print(lines: Sequence[_Line], plan: Plan, *, rounds: int) -> None:
    sizes = " and ".join(f"{size:,}" for size in plan.sizes)
    print_head(
        f"sample-lists: pages of {PAGE} and more, of datasets of {sizes} samples",
        (
            f"over ModelArts' API, signed; {LABELS} labels; no page was there before",
            f"medians of {rounds} interleaved rounds",
        ),
        packages=LIBRARIES,
        database=sqlite(),
    )
    print_table(
        ("", *(f"{size:,}, ms" for size in plan.sizes), "×"),
        [(one.name, *(f"{each * 1000:.2f}" for each in one.seconds), f"{one.growth:.2f}") for one in lines],
    )
    print_targets(
        [
            Target(
                name=f"{one.name}, {plan.sizes[-1]:,} / {plan.sizes[0]:,}",
                measured=one.growth,
                bound=Bound.MOST,
                wanted=one.most,
            )
            for one in lines
        ]
    )
