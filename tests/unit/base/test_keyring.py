"""The root key: made once, and what it seals opens only where it should."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from trivium.base.keyring import SIZE, KeyFileUnusable, Keyring, SealBroken

ROOT = bytes(range(SIZE))


def test_what_is_derived_depends_on_the_key_and_the_purpose_alone() -> None:
    assert Keyring(ROOT).derive("tokens") == Keyring(ROOT).derive("tokens")
    assert Keyring(ROOT).derive("tokens") != Keyring(ROOT).derive("tickets")
    assert Keyring(ROOT).derive("tokens") != Keyring(bytes(SIZE)).derive("tokens")
    assert len(Keyring(ROOT).derive("tokens")) == SIZE


def test_what_is_derived_is_what_rfc_5869_says() -> None:
    told = HKDF(algorithm=SHA256(), length=SIZE, salt=None, info=b"trivium:tokens").derive(ROOT)
    assert Keyring(ROOT).derive("tokens") == told


def test_a_sealed_text_opens_under_the_same_key_and_in_the_same_context() -> None:
    sealed = Keyring(ROOT).seal("密码 secret", "key:a")
    assert Keyring(ROOT).open(sealed, "key:a") == "密码 secret"
    assert "secret" not in sealed


def test_the_same_text_is_never_sealed_twice_alike() -> None:
    keyring = Keyring(ROOT)
    assert keyring.seal("secret", "a") != keyring.seal("secret", "a")


def test_a_sealed_text_that_was_changed_does_not_open() -> None:
    keyring = Keyring(ROOT)
    sealed = keyring.seal("secret", "a")
    flipped = sealed[:10] + ("B" if sealed[10] == "A" else "A") + sealed[11:]
    for broken in (flipped, sealed[:20], "v1.", "", "v1.密"):
        with pytest.raises(SealBroken):
            keyring.open(broken, "a")


def test_a_sealed_text_does_not_open_in_another_context_or_under_another_key() -> None:
    sealed = Keyring(ROOT).seal("secret", "key:a")
    with pytest.raises(SealBroken):
        Keyring(ROOT).open(sealed, "key:b")
    with pytest.raises(SealBroken):
        Keyring(bytes(SIZE)).open(sealed, "key:a")


def test_the_key_file_is_made_for_its_owner_only_and_never_again(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "root.key"
    first = Keyring.at(file)
    written = file.read_bytes()
    assert file.stat().st_mode & 0o777 == 0o600
    assert Keyring.at(file).derive("a") == first.derive("a")
    assert file.read_bytes() == written
    assert [path.name for path in file.parent.iterdir()] == ["root.key"]


def test_two_key_files_hold_two_keys(tmp_path: Path) -> None:
    assert Keyring.at(tmp_path / "one").derive("a") != Keyring.at(tmp_path / "two").derive("a")


def test_processes_that_make_the_key_file_at_once_use_one_key(tmp_path: Path) -> None:
    script = "import sys; from pathlib import Path; from trivium.base.keyring import Keyring; sys.stdin.read(1); "
    script += "print(Keyring.at(Path(sys.argv[1])).derive('a').hex())"
    command = [sys.executable, "-c", script, str(tmp_path / "root.key")]
    racers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    told = {racer.communicate("x")[0] for racer in racers}
    assert len(told) == 1
    assert len(told.pop().strip()) == 2 * SIZE


@pytest.mark.parametrize("content", [b"", b"zz", b"00" * 31, b"\xff" * 64])
def test_a_file_that_holds_no_key_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "root.key"
    file.write_bytes(content)
    with pytest.raises(KeyFileUnusable) as caught:
        Keyring.at(file)
    assert str(file) in str(caught.value)
    assert file.read_bytes() == content


def test_a_place_where_no_file_can_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(KeyFileUnusable):
        Keyring.at(tmp_path / "file" / "root.key")


def test_a_decoy_looks_like_a_secret_and_is_another_one_in_each_process() -> None:
    assert len(Keyring(ROOT).decoy()) == 40
    assert Keyring(ROOT).decoy() != Keyring(ROOT).decoy()
