"""Files of samples over HTTP: by links alone, in part, as nothing that acts, and nowhere outside of their stores."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, quote, urlencode

import pytest
from msgspec import structs

from tests.builders import Place, place
from tests.gallery import Visit
from trivium.base.caller import Role
from trivium.base.clock import ManualClock
from trivium.resources import datasets, users
from trivium.resources.datasets import Dataset, DatasetType
from trivium.resources.datasets.ports import SampleKind

BYTES = bytes(range(256)) * 16
PNG = b"\x89PNG\r\n\x1a\n" + BYTES
HTML = b"<!doctype html><script>alert(1)</script>"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Place]:
    with place(f"sqlite:///{tmp_path / 'trivium.db'}") as made:
        yield made


async def test_a_browser_follows_the_link_of_a_list_with_nothing_else_to_show(visit: Visit, cats: Dataset) -> None:
    sample = visit.gallery.put(cats, visit.gallery.cats / "a.png", PNG)
    source = await visit.source(cats, sample)
    found = await visit.get(source)
    assert (found.status, found.body) == (200, PNG)
    assert found.header("content-type") == "image/png"
    assert found.header("x-content-type-options") == "nosniff"
    assert found.header("content-security-policy") == "sandbox; default-src 'none'"
    assert found.header("content-disposition") == "inline; filename=\"a.png\"; filename*=UTF-8''a.png"
    assert found.header("cache-control") == "private, no-cache"
    head = await visit.get(source, method="HEAD")
    assert (head.status, head.header("content-length"), head.body) == (200, str(len(PNG)), b"")
    by_token = await visit.get(source.partition("?")[0], visit.token)
    assert by_token.body == PNG
    shown = await visit.asked(visit.gallery.path(cats, f"/{sample}"))
    assert shown["source"].endswith(source)
    previewed = await visit.asked(
        visit.gallery.path(cats).partition("/data-annotations")[0].rpartition("/")[0] + "?file_preview=true"
    )
    assert [one["source"] for one in previewed["datasets"][0]["samples"]] == [shown["source"]]


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-99", 0, 100),
        ("bytes=100-", 100, 4096),
        ("bytes=-1", 4095, 4096),
        ("bytes=-5000", 0, 4096),
        ("bytes=4095-4095", 4095, 4096),
        ("bytes=4000-999999999999", 4000, 4096),
        ("BYTES= 1-2 ", 1, 3),
    ],
)
async def test_a_part_of_a_file(visit: Visit, cats: Dataset, asked: str, start: int, end: int) -> None:
    source = await visit.source(cats, visit.gallery.put(cats, visit.gallery.cats / "a.bin", BYTES))
    found = await visit.get(source, {"Range": asked})
    assert (found.status, found.body) == (206, BYTES[start:end])
    assert found.header("content-range") == f"bytes {start}-{end - 1}/4096"
    assert found.header("accept-ranges") == "bytes"


@pytest.mark.parametrize(
    "asked",
    [
        *("bytes=0-0,5-6", "bytes=", "bytes=-", "bytes=5-4", "bytes=a-b", "lines=0-5", "bytes=0x1-2", "0-5"),
        *("bytes=٠-٥", "bytes=" + "9" * 40 + "-", "bytes=+1-2"),
    ],
)
async def test_what_is_no_single_range_is_all_of_it(visit: Visit, cats: Dataset, asked: str) -> None:
    source = await visit.source(cats, visit.gallery.put(cats, visit.gallery.cats / "a.bin", BYTES))
    found = await visit.get(source, {"Range": asked.encode().decode("latin-1")})
    assert (found.status, found.body) == (200, BYTES)


@pytest.mark.parametrize("asked", ["bytes=4096-", "bytes=5000-6000", "bytes=-0", "bytes=999999999999999999-"])
async def test_a_range_behind_the_end(visit: Visit, cats: Dataset, asked: str) -> None:
    source = await visit.source(cats, visit.gallery.put(cats, visit.gallery.cats / "a.bin", BYTES))
    found = await visit.get(source, {"Range": asked})
    assert (found.status, found.header("content-range")) == (416, "bytes */4096")
    assert found.json["error_code"] == "ModelArts.4396"
    assert (await visit.get(source, {"Range": asked}, "HEAD")).status == 200


async def test_an_empty_file_and_its_ranges(visit: Visit, cats: Dataset) -> None:
    source = await visit.source(cats, visit.gallery.put(cats, visit.gallery.cats / "a.bin", b""))
    assert (await visit.get(source)).body == b""
    assert (await visit.get(source, {"Range": "bytes=-5"})).status == 200
    assert (await visit.get(source, {"Range": "bytes=0-"})).status == 416


async def test_conditions_are_those_of_http(visit: Visit, cats: Dataset) -> None:
    file = visit.gallery.cats / "a.bin"
    source = await visit.source(cats, visit.gallery.put(cats, file, BYTES))
    first = await visit.get(source)
    tag, date = first.header("etag") or "", first.header("last-modified") or ""
    for headers in ({"If-None-Match": tag}, {"If-None-Match": f'"x", W/{tag}'}, {"If-Modified-Since": date}):
        assert (await visit.get(source, headers)).status == 304
    assert (await visit.get(source, {"If-None-Match": '"x"', "If-Modified-Since": date})).status == 200
    part = {"Range": "bytes=1-2"}
    assert (await visit.get(source, part | {"If-Range": tag})).status == 206
    assert (await visit.get(source, part | {"If-Range": date})).status == 206
    for other in ('"x"', f"W/{tag}", "Thu, 01 Jan 1970 00:00:00 GMT", "yesterday"):
        assert (await visit.get(source, part | {"If-Range": other})).status == 200
    assert (await visit.get(source, {"If-Match": '"x"'})).status == 412
    assert (await visit.get(source, {"If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"})).status == 412
    file.write_bytes(BYTES[::-1])
    os.utime(file, (1, 1))
    again = await visit.get(source, {"If-None-Match": tag})
    assert (again.status, again.body) == (200, BYTES[::-1])


@pytest.mark.parametrize(
    ("name", "content", "type"),
    [
        ("a.jpg", HTML, None),
        ("a.png", SVG, None),
        ("a.html", b"\xff\xd8\xff\xe0" + HTML, "image/jpeg"),
        ("a.svg", SVG, None),
        ("a.pdf", b"%PDF-1.7", None),
        ("a.js", b"alert(1)", None),
        ("a.jpg", b"", None),
        ("a.jpg", b"BM<script>alert(1)</script>", None),
        ("a.jpg", b"GIF89a/*" + HTML, "image/gif"),
        ("a.wav", b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"),
        ("a.mp3", b"ID3\x04\0", "audio/mpeg"),
        ("a.mp4", b"\0\0\0\x20ftypisom", "video/mp4"),
        ("a.m4a", b"\0\0\0\x20ftypM4A ", "audio/mp4"),
    ],
)
async def test_a_file_is_what_it_begins_as(visit: Visit, cats: Dataset, name: str, content: bytes, type: str) -> None:
    found = await visit.get(await visit.source(cats, visit.gallery.put(cats, visit.gallery.cats / name, content)))
    assert found.body == content
    assert found.header("content-type") == (type or "application/octet-stream")
    assert (found.header("content-disposition") or "").startswith("inline;" if type else "attachment;")
    assert found.header("x-content-type-options") == "nosniff"
    assert "sandbox" in (found.header("content-security-policy") or "")


@pytest.mark.parametrize("name", ["猫.bin", 'a"b\\c;.bin', "кот й.bin", "a\r\nX-Evil: 1.bin", "%2e%2e.bin", "a" * 251])
async def test_names_of_every_script_are_told(visit: Visit, cats: Dataset, name: str) -> None:
    sample = visit.gallery.put(cats, visit.gallery.cats / name.encode().decode("utf-8")[:250], BYTES)
    found = await visit.get(await visit.source(cats, sample))
    assert (found.status, found.header("x-evil")) == (200, None)
    told = (found.header("content-disposition") or "").rpartition("filename*=UTF-8''")[2]
    assert told == quote(name[:250], safe="!#$&+-.^_`|~")


async def test_a_name_that_is_no_text_is_sent_all_the_same(visit: Visit, cats: Dataset) -> None:
    sample = visit.gallery.put(cats, visit.gallery.cats / os.fsdecode(b"\xff.bin"), BYTES)
    assert (await visit.get(await visit.source(cats, sample))).body == BYTES


async def test_texts_are_sent_as_texts_and_rows_are_no_files(visit: Visit, cats: Dataset) -> None:
    file = visit.gallery.cats / "a.txt"
    line = visit.gallery.put(cats, file, b"one\ntwo<b>\n", line=2, text="two<b>", kind=SampleKind.TEXT)
    found = await visit.get(await visit.source(cats, line))
    assert (found.body, found.header("content-type")) == (b"two<b>", "text/plain; charset=utf-8")
    assert (found.header("content-disposition") or "").startswith("attachment;")
    told = visit.gallery.put(cats, b"", text="told", kind=SampleKind.TEXT)
    assert (await visit.get(await visit.source(cats, told))).body == b"told"
    row = visit.gallery.put(cats, file, line=1, cells={"a": "b"}, kind=SampleKind.TABLE)
    refused = await visit.get(visit.gallery.path(cats, f"/{row}/file"), visit.token)
    assert (refused.status, refused.json["error_code"]) == (400, "ModelArts.4420")


async def test_a_link_that_was_changed_in_any_part_is_none(visit: Visit, cats: Dataset) -> None:
    gallery = visit.gallery
    other = gallery.put(cats, gallery.cats / "b.png", PNG)
    sample = gallery.put(cats, gallery.cats / "a.png", PNG)
    path, _, query = (await visit.source(cats, sample)).partition("?")
    said = {name: values[0] for name, values in parse_qs(query).items()}
    changed = [{name: _changed(value) if name == key else value for name, value in said.items()} for key in said] + [
        {name: value for name, value in said.items() if name != key} for key in said
    ]
    changed += [said | {"Expires": str(int(said["Expires"]) + 1)}, said | {"x-image-process": "image/resize,h_1"}]
    changed += [said | {"Expires": "9" * 12}, said | {"Signature": "猫"}, said | {"AccessKeyId": "K1\n"}]
    for one in changed:
        refused = await visit.get(f"{path}?{urlencode(one)}")
        assert (refused.status, refused.json["error_code"]) == (401, "APIGW.0301"), one
    assert (await visit.get(f"{path.replace(sample, other)}?{query}")).status == 401
    birds = gallery.dataset("birds")
    assert birds.uuid is not None
    assert cats.uuid is not None
    assert (await visit.get(f"{path.replace(cats.uuid.hex, birds.uuid.hex)}?{query}")).status == 401
    project, _, rest = path.removeprefix("/v2/").partition("/")
    bob = gallery.path(cats, of=gallery.here.user("bob")).split("/")[2]
    assert (await visit.get(f"/v2/{bob}/{rest}?{query}")).status == 401
    assert (await visit.get(f"{path.removesuffix('/file')}?{query}")).status == 401
    assert (await visit.get(f"/v2/{project}/datasets?{query}")).status == 401
    assert (await visit.get(f"{path}?{query}&AccessKeyId=K1")).status == 200  # the first of a name counts


async def test_a_link_is_good_for_an_hour_and_ends_with_its_session(visit: Visit, cats: Dataset) -> None:
    gallery, clock = visit.gallery, visit.gallery.here.clock
    assert isinstance(clock, ManualClock)
    sample = gallery.put(cats, gallery.cats / "a.png", PNG)
    source = await visit.source(cats, sample)
    clock.move(timedelta(minutes=59))
    assert (await visit.get(source)).status == 200
    clock.move(timedelta(minutes=12))
    assert (await visit.get(source)).status == 401
    source = await visit.source(cats, sample)
    gallery.store.write_now(users.end_session_of, visit.token["x-auth-token"])
    assert (await visit.get(source)).status == 401


async def test_whoever_lost_access_has_lost_their_links(visit: Visit, cats: Dataset) -> None:
    source = await visit.source(cats, visit.gallery.put(cats, visit.gallery.cats / "a.png", PNG))
    visit.gallery.store.write_now(users.disable, visit.gallery.here.admin, visit.gallery.alice.user)
    assert (await visit.get(source)).status == 401


async def test_links_swapped_in_after_an_import_lead_nowhere(visit: Visit, cats: Dataset, tmp_path: Path) -> None:
    gallery = visit.gallery
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    file = gallery.cats / "a.png"
    source = await visit.source(cats, gallery.put(cats, file, PNG))
    for target in (secret, Path("../../../secret"), Path("/etc/passwd"), Path("/dev/zero"), file, tmp_path):
        file.unlink(missing_ok=True)
        file.symlink_to(target)
        refused = await visit.get(source)
        assert (refused.status, refused.json["error_code"]) == (400, "ModelArts.4420"), target
    file.unlink()
    (gallery.cats / "real.png").write_bytes(PNG)
    file.symlink_to("real.png")
    assert (await visit.get(source)).body == PNG
    file.unlink()
    os.mkfifo(file)
    assert (await visit.get(source)).status == 400
    file.unlink()
    assert (await visit.get(source)).json["error_code"] == "ModelArts.4420"
    gallery.cats.rename(gallery.root / "pets" / "kept")
    gallery.cats.symlink_to(tmp_path)
    (tmp_path / "a.png").write_bytes(b"secret")
    assert (await visit.get(source)).status == 400


async def test_a_manifest_that_names_what_its_owner_may_not_see_shows_nothing(visit: Visit, cats: Dataset) -> None:
    gallery = visit.gallery
    other = gallery.put(cats, Path("/etc/passwd"))
    refused = await visit.get(gallery.path(cats, f"/{other}/file"), visit.token)
    assert (refused.status, refused.json["error_code"]) == (400, "ModelArts.4420")


async def test_stores_bound_what_a_link_on_disk_leads_to(visit: Visit, here: Place) -> None:
    gallery, bob = visit.gallery, here.user("bob")
    mine = gallery.root / "bob"
    (mine / "dogs").mkdir(parents=True)
    (gallery.cats / "a.png").write_bytes(PNG)
    (mine / "dogs" / "a.png").symlink_to(gallery.cats / "a.png")
    gallery.center_of(structs.replace(bob, role=Role.ADMIN), mine)  # within one that Bob does not see
    new = datasets.NewDataset(name="dogs", url="obs://bob/dogs/", store=gallery.center.uuid, type=DatasetType(0))
    dogs = gallery.store.write_now(datasets.register, bob, new, path=str(mine / "dogs"))
    token = gallery.token(bob)
    for path in (mine / "dogs" / "a.png", gallery.cats / "a.png"):
        sample = gallery.put(dogs, path)
        refused = await visit.get(gallery.path(dogs, f"/{sample}/file", of=bob), token)
        assert refused.json["error_code"] == "ModelArts.4420", path
    shown = gallery.put(dogs, mine / "dogs" / "b.png", PNG)
    assert (await visit.get(gallery.path(dogs, f"/{shown}/file", of=bob), token)).body == PNG


async def test_what_lies_in_a_store_within_that_the_caller_does_not_see_is_not_sent(visit: Visit, here: Place) -> None:
    gallery, bob = visit.gallery, here.user("bob")
    theirs = gallery.root / "bob"
    theirs.mkdir()
    cats = gallery.dataset()
    sample, token = gallery.put(cats, theirs / "a.png", PNG), gallery.token(gallery.alice, "another")
    assert (await visit.get(gallery.path(cats, f"/{sample}/file"), token)).body == PNG
    gallery.center_of(structs.replace(bob, role=Role.ADMIN), theirs)
    refused = await visit.get(gallery.path(cats, f"/{sample}/file"), token)
    assert refused.json["error_code"] == "ModelArts.4420"


async def test_a_large_file_is_sent_in_parts_and_one_that_shrinks_is_not_whole(visit: Visit, cats: Dataset) -> None:
    content = os.urandom(1 << 20) * 12
    file = visit.gallery.cats / "a.bin"
    source = await visit.source(cats, visit.gallery.put(cats, file, content))
    assert (await visit.get(source)).body == content
    client = await visit.listener.connect()
    await client.send(f"GET {source} HTTP/1.1\r\nHost: {client.host}\r\n\r\n".encode())
    await client.reader.readuntil(b"\r\n\r\n")
    os.truncate(file, 4096)
    assert len(await client.reader.read(-1)) < len(content)


async def test_nobody_is_sent_to_who_hung_up(visit: Visit, cats: Dataset) -> None:
    source = await visit.source(cats, visit.gallery.put(cats, visit.gallery.cats / "a.bin", bytes(64 << 20)))
    client = await visit.listener.connect()
    await client.send(f"GET {source} HTTP/1.1\r\nHost: {client.host}\r\n\r\n".encode())
    await client.reader.readuntil(b"\r\n\r\n")
    client.writer.transport.abort()
    assert (await visit.get(source, {"Range": "bytes=0-0"})).status == 206


def _changed(value: str) -> str:
    last = "A" if value[-1] != "A" else "g"
    return value[:-1] + (last if not value[-1].isdigit() or not value.isdigit() else str((int(value[-1]) + 1) % 10))
