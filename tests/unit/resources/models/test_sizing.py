"""The formula for memory, part by part."""

from __future__ import annotations

from trivium.base.units import GIB, MIB
from trivium.resources.models import Facts, Shape, TensorTotal, figures
from trivium.resources.models.sizing import LEAST, RECOMMENDED, cache

LATENT = Shape(layers=61, heads=128, cached=512 + 64, context=163_840, generates=True)  # DeepSeek V3
SMALL = Shape(layers=2, heads=8, cached=64, context=1000, generates=True)


NO_SHAPE = Shape()


def _facts(*sizes: int, shape: Shape = NO_SHAPE, weights_size: int = 0) -> Facts:
    weights = tuple(TensorTotal(dtype=f"T{number}", parameters=1000, size=size) for number, size in enumerate(sizes))
    return Facts(size=0, files=1, checksum="", weights=weights, weights_size=weights_size, shape=shape)


def test_the_cache_grows_with_sequences_tokens_layers_and_what_a_layer_keeps() -> None:
    assert cache(LATENT, LEAST) == 4096 * 61 * 576 * 2
    assert cache(LATENT, RECOMMENDED) == 8 * 8192 * 61 * 576 * 2


def test_a_short_context_bounds_the_cache() -> None:
    assert cache(SMALL, RECOMMENDED) == 8 * 1000 * 2 * 64 * 2


def test_a_model_of_unknown_measures_counts_without_a_cache() -> None:
    for shape in (Shape(), Shape(layers=2, generates=True), Shape(layers=2, cached=64)):
        assert cache(shape, LEAST) == 0


def test_without_weights_there_are_no_figures() -> None:
    assert figures(_facts(), [GIB]) is None


def test_where_tensors_are_not_known_the_size_of_their_files_counts() -> None:
    known, unknown = figures(_facts(GIB), []), figures(_facts(weights_size=GIB), [])
    newer = figures(_facts(GIB // 2, 0, weights_size=GIB), [])  # a type whose size is not known
    assert known == unknown == newer
    assert known is not None
    assert known.minimum == GIB + 52 * MIB + 512 * MIB  # a twentieth is 51.2 MiB


def test_cards_are_as_many_as_the_heads_can_be_shared_over() -> None:
    shape = Shape(heads=6)
    found = figures(_facts(30 * GIB, shape=shape), [24 * GIB, 16 * GIB])
    assert found is not None
    assert found.cards == (2,)  # of 24 GiB two do; of 16 GiB it would be four, which six heads are not shared over


def test_more_than_sixteen_cards_are_not_recommended() -> None:
    found = figures(_facts(2000 * GIB), [80 * GIB])
    assert found is not None
    assert found.cards == ()
