"""Places of datasets: buckets are directories in the roots, and no place leads out of them."""

from __future__ import annotations

import pytest

from trivium.base.caller import Caller, Role
from trivium.resources.datasets import BadPlace, Buckets, NoSuchBucket

BUCKETS = Buckets(["/data/one/", "/data/two"], has={"/data/one/pets", "/data/two/pets", "/data/two/cars"}.__contains__)
ALICE = Caller(user=1, user_name="alice", project=1, role=Role.MEMBER)
ADMIN = Caller(user=2, user_name="admin", project=2, role=Role.ADMIN)


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ("obs://pets/cats/", "/data/one/pets/cats"),
        ("OBS://pets", "/data/one/pets"),
        ("s3://cars/a//b/./c", "/data/two/cars/a/b/c"),
        ("/cars/a b", "/data/two/cars/a b"),
        ("https://pets.obs.region.example.com/cats/1.png", "/data/one/pets/cats/1.png"),
    ],
)
def test_a_place_is_a_path_in_the_first_root_that_has_its_bucket(place: str, path: str) -> None:
    assert BUCKETS.path(ALICE, place, field="path") == path


@pytest.mark.parametrize("place", ["obs://none/x", "/none", "/", "obs://../one/pets", "/data/one/pets"])
def test_a_bucket_that_is_not_here_is_none(place: str) -> None:
    with pytest.raises(NoSuchBucket) as raised:
        BUCKETS.path(ALICE, place, field="path")
    assert raised.value.field == "path"


@pytest.mark.parametrize("place", ["/", "//", "/./"])
def test_a_root_itself_is_no_bucket(place: str) -> None:
    with pytest.raises(NoSuchBucket):
        Buckets(["/data/one"], has=lambda _path: True).path(ALICE, place, field="path")


@pytest.mark.parametrize(
    "place", ["", " ", "pets/cats", "ftp://pets/x", "obs://pets/../cars", "/pets/a\nb", "/" * 1025]
)
def test_what_is_no_place_is_refused(place: str) -> None:
    with pytest.raises(BadPlace) as raised:
        BUCKETS.path(ALICE, place, field="path")
    assert not isinstance(raised.value, NoSuchBucket)


def test_administrators_may_name_paths_in_the_roots_as_well() -> None:
    assert BUCKETS.path(ADMIN, "/data/one/pets/cats", field="path") == "/data/one/pets/cats"
    assert BUCKETS.path(ADMIN, "/pets/cats", field="path") == "/data/one/pets/cats"
    with pytest.raises(NoSuchBucket):
        BUCKETS.path(ADMIN, "/data/onerous/pets", field="path")
