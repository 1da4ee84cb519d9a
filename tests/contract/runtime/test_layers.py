"""A notebook's own packages: they stay, they can be saved, and a new notebook made of the image has them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import zipfile
from pathlib import Path

import pytest

from tests.contract.runtime.world import IS_ROOT, UID, World, site
from trivium.resources.notebooks.ports import Ending, Environment

NAME = "0123456789abcdef0123456789abcdef"
OTHER = "f" * 32
TOOL = "#!{python}\nimport greeting; print(greeting.WORD)\n"

GROW = """
import ctypes, os, select, sys
first, last, size = f"{sys.argv[1]}/bin/first", f"{sys.argv[1]}/share/last", int(sys.argv[2]) << 20
os.makedirs(os.path.dirname(last), exist_ok=True)
for path, length in ((first, 1), (last, size)):
    open(path, "ab").close()
    os.truncate(path, length)
libc = ctypes.CDLL(None)
watch = libc.inotify_init1(0)
libc.inotify_add_watch(watch, first.encode(), 0x20)  # IN_OPEN
print("ready", flush=True)
select.select([watch], [], [])
os.truncate(last, 1 << 40)
print("grown", flush=True)
"""
"""Has one of the last files that are saved, of so many MiB, become one of a TiB as soon as one of the first is read."""

BEGIN = "(setsid python ~/grow.py $VIRTUAL_ENV {} > ~/grow.log 2>&1 &); until grep ready ~/grow.log; do :; done"
TRIES = 20


def install(world: World, launch: int, *, word: str = "hello") -> None:
    """Put a module and a console script where pip would, as the notebook's user."""
    venv = world.data / "layers" / str(launch) / "venv"
    module, tool = site(venv) / "greeting.py", venv / "bin/greet"
    module.write_text(f"WORD = '{word}'\n")
    tool.write_text(TOOL.format(python=venv / "bin/python"))
    tool.chmod(0o755)
    for path in (module, tool):
        os.chown(path, UID or os.geteuid(), UID or os.getegid())


def make_wheel(directory: Path) -> Path:
    """A real wheel with a module and a console script, made by hand."""
    path = directory / "greeting-1.0-py3-none-any.whl"
    files = {
        "greeting.py": "WORD = 'from a wheel'\ndef main():\n    print(WORD)\n",
        "greeting-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n",
        "greeting-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "greeting-1.0.dist-info/entry_points.txt": "[console_scripts]\ngreet = greeting:main\n",
    }
    record = "".join(f"{name},sha256={_hash(text)},{len(text)}\n" for name, text in files.items())
    files["greeting-1.0.dist-info/RECORD"] = record + "greeting-1.0.dist-info/RECORD,,\n"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
    path.chmod(0o644)
    return path


def _hash(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


async def test_what_was_installed_is_there_after_a_stop_and_a_start(world: World) -> None:
    spec = await world.started()
    install(world, spec.key.launch)
    assert await world.shell(spec.key, "greet") == "hello"
    await world.stopped(spec.key)
    again = world.spec(key=type(spec.key)(launch=spec.key.launch, generation=2))
    await world.started(again)
    assert await world.shell(again.key, "greet; which python") == f"hello\n{world.data}/layers/1/venv/bin/python"


async def test_a_layer_shadows_its_image_and_does_not_change_it(world: World, image: Path) -> None:
    spec = await world.started()
    assert await world.shell(spec.key, "python -c 'import whose; print(whose.OWNER)'") == "image"
    module = site(world.data / "layers/1/venv") / "whose.py"
    module.write_text("OWNER = 'layer'\n")
    module.chmod(0o644)
    assert await world.shell(spec.key, "python -c 'import whose; print(whose.OWNER)'") == "layer"
    assert "image" in (site(image) / "whose.py").read_text()


async def test_a_saved_layer_gives_a_new_notebook_what_was_installed(world: World, image: Path) -> None:
    spec = await world.started()
    install(world, spec.key.launch)
    saved = await world.runtime.save(spec.key, NAME)  # while it runs
    assert saved.path == world.data / "saved" / NAME
    assert saved.size > 0
    assert saved.digest.startswith("sha256:")
    await world.runtime.remove(spec.key.launch)
    command = ("python", "-m", "tinyserver", "{port}")
    over = Environment(path=image, layers=(saved.path,), command=command)
    new = await world.started(world.spec(environment=over, user=9, uid=61299 if IS_ROOT else None))
    assert await world.shell(new.key, "greet; python -c 'import greeting, whose'") == "hello"
    install(world, new.key.launch, word="newer")
    assert await world.shell(new.key, "greet") == "newer"
    second = await world.runtime.save(new.key, OTHER)
    both = Environment(path=image, layers=(saved.path, second.path), command=command)
    third = await world.started(world.spec(environment=both))
    assert await world.shell(third.key, "greet") == "newer"


async def test_saving_twice_under_a_name_keeps_the_first(world: World) -> None:
    spec = await world.started()
    install(world, spec.key.launch)
    first = await world.runtime.save(spec.key, NAME)
    install(world, spec.key.launch, word="changed")
    assert await world.runtime.save(spec.key, NAME) == first
    assert (await world.runtime.save(spec.key, OTHER)).digest != first.digest
    await world.runtime.drop_layer(NAME)
    await world.runtime.drop_layer(NAME)
    assert [path.name for path in (world.data / "saved").iterdir()] == [OTHER]


async def test_a_saved_layer_holds_nothing_that_its_user_could_still_change(world: World) -> None:
    spec = await world.started()
    install(world, spec.key.launch)
    await world.shell(spec.key, "ln -s /etc/shadow $VIRTUAL_ENV/bin/peek; mkfifo $VIRTUAL_ENV/bin/pipe")
    saved = await world.runtime.save(spec.key, NAME)
    for path in saved.path.rglob("*"):
        assert path.is_symlink() or path.stat().st_mode & 0o7022 == 0
        assert path.lstat().st_uid == os.geteuid()
    assert (saved.path / "bin/peek").is_symlink()
    assert not (saved.path / "bin/pipe").exists()
    assert not (saved.path / "bin/python").exists()
    assert str(spec.key.launch) not in (saved.path / "bin/greet").read_text()


async def test_a_file_of_holes_larger_than_the_disk_is_not_saved(world: World) -> None:
    spec = await world.started()
    await world.shell(spec.key, "truncate -s 8T $VIRTUAL_ENV/lib/holes")
    with pytest.raises(OSError, match="No space left"):
        await world.runtime.save(spec.key, NAME)
    assert not list((world.data / "saved").iterdir())


async def test_a_file_that_grows_once_it_was_measured_is_not_saved(world: World) -> None:
    spec = await world.started()
    await world.shell(spec.key, f"cat > ~/grow.py <<'END'\n{GROW}\nEND")
    said = ""
    for _ in range(TRIES):  # until it is fast enough
        await world.shell(spec.key, BEGIN.format(16))
        try:
            await world.runtime.save(spec.key, NAME)
        except OSError as error:
            said = str(error)
            break
        await world.runtime.drop_layer(NAME)
    assert "it grew too much" in said
    assert not list((world.data / "saved").iterdir())


async def test_a_link_in_place_of_the_packages_is_not_followed(world: World) -> None:
    spec = await world.started()
    aim = world.root / "aim"
    (aim / "lib").mkdir(parents=True)
    (aim / "lib/kept").write_text("theirs")
    os.truncate(aim / "lib/kept", 8 << 40)  # if it were looked at, there would be no space for it
    await world.shell(spec.key, f"cd $VIRTUAL_ENV/.. && mv venv v2 && ln -s {aim} venv")
    with pytest.raises(OSError, match="not in the directory venv"):
        await world.runtime.save(spec.key, NAME)
    assert not list((world.data / "saved").iterdir())


async def test_links_and_pipes_below_the_packages_lead_nowhere(world: World) -> None:
    spec = await world.started()
    aim = world.root / "aim"
    aim.mkdir()
    (aim / "kept").write_text("theirs")
    await world.shell(spec.key, f"cd $VIRTUAL_ENV && ln -s {aim} lib/led && ln -s {aim} share && mkfifo lib/pipe etc")
    saved = await world.runtime.save(spec.key, NAME)
    assert {(saved.path / name).is_symlink() for name in ("lib/led", "share")} == {True}
    assert not list(saved.path.glob("**/pipe"))
    assert not (saved.path / "etc").exists()


@pytest.mark.skipif(not IS_ROOT, reason="needs to be root: else all files are the notebook's user's")
async def test_another_users_file_that_was_linked_hard_is_not_opened_to_all(world: World) -> None:
    spec = await world.started()
    secret, shared = world.data / "secret", world.data / "shared"
    packages = site(world.data / "layers" / str(spec.key.launch) / "venv")
    for path, mode in ((secret, 0o600), (shared, 0o644)):
        path.write_text("theirs")
        path.chmod(mode)
        (packages / path.name).hardlink_to(path)  # as a user may where fs.protected_hardlinks is off
    saved = await world.runtime.save(spec.key, NAME)
    assert not (site(saved.path) / "secret").exists()
    assert (site(saved.path) / "shared").exists()


async def test_there_is_nothing_to_save_of_a_notebook_that_never_ran(world: World) -> None:
    with pytest.raises(OSError, match="No such"):
        await world.runtime.save(world.spec().key, NAME)
    assert not list((world.data / "saved").iterdir())


async def test_a_saved_layer_that_vanished_is_an_environment_that_is_gone(world: World, image: Path) -> None:
    over = Environment(path=image, layers=(world.data / "saved" / NAME,), command=("python",))
    spec = world.spec(environment=over)
    await world.runtime.launch(spec)
    ended = await world.ended(spec.key)
    assert ended.ending is Ending.ENVIRONMENT_GONE
    assert NAME in ended.detail


async def test_what_a_server_left_half_saved_is_cleared_away(world: World) -> None:
    half = world.data / "saved" / f".making-{NAME}-1"
    half.mkdir(parents=True)
    await world.runtime.adopt()
    assert not half.exists()


async def test_what_is_being_saved_is_not_cleared_away(world: World) -> None:
    spec = await world.started()
    await world.runtime.adopt()  # as a server does first of all
    venv = world.data / "layers" / str(spec.key.launch) / "venv"
    for number in range(300):
        (site(venv) / f"m{number}.py").write_text("x = 1\n")
    saving = asyncio.create_task(world.runtime.save(spec.key, NAME))
    while not saving.done():
        await world.runtime.adopt()
    saved = await saving
    assert len(list(site(saved.path).glob("m*.py"))) == 300


async def test_packages_without_end_are_not_saved_and_are_removed_all_the_same(world: World) -> None:
    spec = await world.started()
    make = "import os\nfor _ in range(1500):\n    os.mkdir('d')\n    os.chdir('d')\n"
    venv = world.data / "layers" / str(spec.key.launch) / "venv"
    await world.shell(spec.key, f'cd {venv}/lib && python -c "{make}"')
    with pytest.raises(OSError, match="too many directories"):
        await world.runtime.save(spec.key, NAME)
    assert not list((world.data / "saved").iterdir())
    await world.runtime.remove(spec.key.launch)
    assert not list((world.data / "layers").iterdir())
