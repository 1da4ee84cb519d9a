"""A launch's own layer of packages: a virtual environment of the image's interpreter, chained to the image.

Made by hand rather than by `venv`, in milliseconds: a link to the interpreter, `pyvenv.cfg`, and a `.pth` that adds the
saved layers and the image behind it. Runs as the notebook's own user, so that nothing in it leads to another's files.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from typing import NamedTuple, cast

from trivium.drivers.runtimes.process.keeper.launches.spec import Failed

CHAIN = "_trivium_chain.pth"
WITHIN = 30.0  # seconds an interpreter may take to say what it is
QUESTION = """
import json, sys, sysconfig
print(json.dumps({
    "base": getattr(sys, "_base_executable", None) or sys.executable,
    "version": ".".join(map(str, sys.version_info[:3])),
    "purelib": sysconfig.get_path("purelib"), "platlib": sysconfig.get_path("platlib"),
    "data": sysconfig.get_path("data"), "scripts": sysconfig.get_path("scripts"),
}))
"""
LAUNCHER = """#!/bin/sh
exec {python} -c 'import sys; from pip._internal.cli.main import main; sys.exit(main())' "$@"
"""


class Interpreter(NamedTuple):
    """What the image's interpreter says of itself."""

    base: str  # the program behind virtual environments
    version: str
    purelib: str
    platlib: str
    data: str
    scripts: str

    @property
    def minor(self) -> str:
        """The version that directories are named by, such as 3.11."""
        return ".".join(self.version.split(".")[:2])


def python_of(image: str) -> str | None:
    """The interpreter in an environment's directory; None when there is none."""
    for name in ("python", "python3"):
        path = f"{image}/bin/{name}"
        if os.path.exists(path):
            return path
    return None


def ask(python: str) -> Interpreter:
    """What an interpreter says of itself; `Failed` when it does not run."""
    try:
        done = subprocess.run(
            [python, "-I", "-c", QUESTION],
            capture_output=True, timeout=WITHIN, check=False, env={"PATH": os.defpath}, cwd="/",
        )  # fmt: skip
    except PermissionError as error:
        raise Failed("unreachable", f"{python} cannot be run by the notebook's user: {error.strerror}.") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failed("environment_gone", f"{python} does not run: {error}.") from error
    try:
        told = json.loads(done.stdout)
        return Interpreter(**{name: str(told[name]) for name in Interpreter._fields})
    except (ValueError, KeyError) as error:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise Failed("environment_gone", f"{python} does not run: {last or done.returncode}") from error


def site_of(prefix: str, interpreter: Interpreter) -> str:
    """Where the packages of a layer lie."""
    return f"{prefix}/lib/python{interpreter.minor}/site-packages"


def make(venv: str, layers: tuple[str, ...], interpreter: Interpreter) -> None:
    """Make the layer, or bring it up to date with the image; what was installed in it stays. Repeatable."""
    site = site_of(venv, interpreter)
    os.makedirs(f"{venv}/bin", exist_ok=True)
    os.makedirs(site, exist_ok=True)
    for name in ("python", "python3", f"python{interpreter.minor}"):
        _link(interpreter.base, f"{venv}/bin/{name}")
    _write(f"{venv}/pyvenv.cfg", configuration(interpreter))
    behind = [site_of(layer, interpreter) for layer in reversed(layers)]
    _write(f"{site}/{CHAIN}", chain([*behind, *dict.fromkeys((interpreter.purelib, interpreter.platlib))]))
    for name in ("pip", "pip3", f"pip{interpreter.minor}"):
        _add_script(f"{venv}/bin/{name}", f"{venv}/bin/python")
    for place in (interpreter.data, *layers):
        _adopt_kernels(place, venv, {interpreter.scripts, *(f"{layer}/bin" for layer in layers)})


def configuration(interpreter: Interpreter) -> str:
    """The text of `pyvenv.cfg`."""
    return (
        f"home = {os.path.dirname(interpreter.base)}\n"
        "include-system-site-packages = false\n"
        f"version = {interpreter.version}\n"
        f"executable = {interpreter.base}\n"
    )


def chain(places: list[str]) -> str:
    """The text of a `.pth` that adds site directories with their own `.pth` files."""
    return "".join(f"import site; site.addsitedir({place!r})\n" for place in places)


def _add_script(path: str, python: str) -> None:
    """A `pip` of the layer: the image's own would install into the image. One that the user installed is kept."""
    if not os.path.lexists(path) or not os.lstat(path).st_size:  # as after a power cut
        _write(path, LAUNCHER.format(python=shlex.quote(python)))
        os.chmod(path, 0o755)  # noqa: S103 - a program, below a directory that only its user may enter


def _adopt_kernels(place: str, venv: str, scripts: set[str]) -> None:
    """Copy the kernels that name the image's interpreter by path, so that they run on the layer's."""
    above = f"{place}/share/jupyter/kernels"
    for name in os.listdir(above) if os.path.isdir(above) else ():
        spec = _read_json(f"{above}/{name}/kernel.json")
        argv = cast("list[str]", spec.get("argv") or [""])
        if not _is_python_in(str(argv[0]), scripts):
            continue
        ours = f"{venv}/share/jupyter/kernels/{name}"
        os.makedirs(ours, exist_ok=True)
        _write(f"{ours}/kernel.json", json.dumps({**spec, "argv": [f"{venv}/bin/python", *argv[1:]]}))


def _is_python_in(program: str, scripts: set[str]) -> bool:
    return os.path.dirname(program) in scripts and os.path.basename(program).startswith("python")


def _read_json(path: str) -> dict[str, object]:
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
    except (OSError, ValueError):
        return {}
    return cast("dict[str, object]", content) if isinstance(content, dict) else {}


def _link(target: str, path: str) -> None:
    if os.path.islink(path) and os.readlink(path) == target:
        return
    beside = f"{path}.new"
    if os.path.lexists(beside):
        os.unlink(beside)
    os.symlink(target, beside)
    os.replace(beside, path)


def _write(path: str, text: str) -> None:
    """Write a file that is written anew at each start, and so need not outlast the machine."""
    beside = f"{path}.new"
    with open(beside, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(beside, path)
