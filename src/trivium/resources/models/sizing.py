"""How much memory of accelerators a model needs, by the formula that docs/models.md explains.

memory  = weights + cache + weights x share + fixed
cache   = sequences x tokens x layers x elements that a layer keeps for a token x 2 bytes
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from trivium.base.units import GIB, MIB
from trivium.base.values import Value
from trivium.resources.models.types import Facts, Shape

CACHE_ELEMENT: Final = 2  # bytes: caches are kept in 16 bits, whatever the weights are in
MOST_CARDS: Final = 16  # of one model on one machine
USABLE: Final = (9, 10)  # of a card's memory; its driver and other programs have the rest


class Load(Value, frozen=True):
    """What a model is to serve, and what it costs beside weights and cache."""

    sequences: int
    tokens: int  # of each, at most; less where the model's context is shorter
    share: tuple[int, int]  # of the weights: activations, fragments of memory
    fixed: int  # of each card: what the device's runtime takes


LEAST: Final = Load(sequences=1, tokens=4096, share=(1, 20), fixed=512 * MIB)
RECOMMENDED: Final = Load(sequences=8, tokens=8192, share=(1, 10), fixed=GIB)


class MemoryFigures(Value, frozen=True):
    """Memory of accelerators for a model, in bytes, and how many cards of the site's sizes have it."""

    minimum: int
    recommended: int
    cards: tuple[int, ...]  # one number for each size of card that can do it, each number once, in order


def figures(facts: Facts, cards: Iterable[int]) -> MemoryFigures | None:
    """The figures for a model, given the memory of each accelerator of the site; None where its weights are not known.

    Cards whose memory is not known (0) are left out. Without any card that would do, there is no number of cards.
    """
    weights = _weights(facts)
    if not weights:
        return None
    return MemoryFigures(
        minimum=memory(weights, facts.shape, LEAST),
        recommended=memory(weights, facts.shape, RECOMMENDED),
        cards=_counts(weights, facts.shape, cards),
    )


def memory(weights: int, shape: Shape, load: Load) -> int:
    """Bytes that a model needs on one card, rounded up to whole MiB."""
    needed = _shared(weights, shape, load) + load.fixed
    return -(-needed // MIB) * MIB


def cache(shape: Shape, load: Load) -> int:
    """Bytes of the KV cache; 0 for a model that has none, or whose measures are not known."""
    if not shape.generates or shape.layers is None or shape.cached is None:
        return 0
    tokens = load.tokens if shape.context is None else min(load.tokens, shape.context)
    return load.sequences * tokens * shape.layers * shape.cached * CACHE_ELEMENT


def _weights(facts: Facts) -> int:
    """Bytes of all tensors; of the files where a tensor's size is not known, as with a type that came after us."""
    is_known = bool(facts.weights) and all(one.size or not one.parameters for one in facts.weights)
    return sum(one.size for one in facts.weights) if is_known else facts.weights_size


def _shared(weights: int, shape: Shape, load: Load) -> int:
    """What is spread over the cards."""
    part, whole = load.share
    return weights + cache(shape, load) + weights * part // whole


def _counts(weights: int, shape: Shape, cards: Iterable[int]) -> tuple[int, ...]:
    shared = _shared(weights, shape, RECOMMENDED)
    counts = {_count(shared, size, shape.heads) for size in set(cards) if size > 0}
    return tuple(sorted(count for count in counts if count is not None))


def _count(shared: int, size: int, heads: int | None) -> int | None:
    """The smallest power of two of such cards that has the memory, and that the attention heads can be shared over."""
    part, whole = USABLE
    usable = size * part // whole - RECOMMENDED.fixed
    count = 1
    while count <= MOST_CARDS:
        if count * usable >= shared and (heads is None or heads % count == 0):
            return count
        count *= 2
    return None
