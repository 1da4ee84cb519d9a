"""Python environments on disk: what is in them, whether a notebook could run, and whether they have changed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec

from trivium.base.values import Value
from trivium.drivers.runtimes.process import contents
from trivium.drivers.runtimes.process.keeper.startup.layer import python_of
from trivium.drivers.runtimes.process.ownership import WritableByOthers
from trivium.resources.images import EnvironmentRefused
from trivium.resources.images.ports import EnvironmentFound

WITHIN = 60.0  # seconds for an interpreter to say what it has
COMPILE_WITHIN = 3600.0  # seconds to compile an environment's bytecode
OLDEST = (3, 9)
QUESTION = """
import json, sys, sysconfig
from importlib import metadata
def version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
print(json.dumps({
    "python": list(sys.version_info[:3]), "jupyterlab": version("jupyterlab"), "ipykernel": version("ipykernel"),
    "packages": sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}),
}))
"""


class Told(Value, frozen=True):
    """What an interpreter says of itself."""

    python: tuple[int, int, int]
    jupyterlab: str | None
    ipykernel: str | None
    packages: tuple[str, ...]


def inspect(path: Path, command: tuple[str, ...]) -> EnvironmentFound:
    """What stands there, its bytecode compiled; `EnvironmentRefused` when no notebook could run in it."""
    if not path.is_absolute() or not path.is_dir():
        raise EnvironmentRefused("path", f"{path} is no directory on this machine; give the absolute path of one.")
    python = python_of(str(path))
    if python is None:
        raise EnvironmentRefused("path", f"{path} has no bin/python: it is no Python environment.")
    try:
        found = contents.fingerprint(path)  # before anything in it is run
    except WritableByOthers as error:
        raise EnvironmentRefused("path", f"{error}. What a notebook can change runs in all others.") from error
    except OSError as error:
        raise EnvironmentRefused("path", f"{path} cannot be read whole: {error}.") from error
    told = _ask(python)
    if refusal := _refusal(path, told, command):
        raise EnvironmentRefused("path", refusal)
    _compile(python, told.packages)
    try:
        return EnvironmentFound(
            python=".".join(str(part) for part in told.python),
            jupyterlab=told.jupyterlab,
            ipykernel=told.ipykernel,
            size=contents.size(path),
            digest=contents.digest(path),
            fingerprint=found,
        )
    except OSError as error:
        raise EnvironmentRefused("path", f"{path} cannot be read whole: {error}.") from error


def fingerprint(path: Path) -> str | None:
    """The cheap fingerprint; None when the environment is not there."""
    return _unless_gone(path, contents.fingerprint)


def digest(path: Path) -> str | None:
    """The digest, read anew; None when the environment is not there."""
    return _unless_gone(path, contents.digest)


def _ask(python: str) -> Told:
    try:
        done = subprocess.run(
            [python, "-I", "-c", QUESTION],
            capture_output=True, timeout=WITHIN, check=False, env={"PATH": os.defpath}, cwd="/",
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentRefused("path", f"{python} does not run: {error}.") from error
    try:
        return msgspec.json.decode(done.stdout, type=Told)
    except msgspec.DecodeError as error:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise EnvironmentRefused("path", f"{python} does not say what it is: {last or done.returncode}.") from error


def _refusal(path: Path, told: Told, command: tuple[str, ...]) -> str | None:
    if told.python[:2] < OLDEST:
        return f"Python {told.python[0]}.{told.python[1]} is too old: 3.9 is the oldest that works."
    if command:
        places = f"{path}/bin:{os.defpath}:/usr/local/bin"
        if shutil.which(command[0], path=places) is None:
            return f"The program {command[0]} is neither in {path}/bin nor on this machine."
        return None
    needed = {"jupyterlab": told.jupyterlab, "ipykernel": told.ipykernel}
    missing = [name for name, version in needed.items() if not version]
    if missing:
        return f"{' and '.join(missing)} must be installed in {path} before it can be a notebook."
    return None


def _compile(python: str, packages: tuple[str, ...]) -> None:
    """Compile the bytecode: a first start takes twice as long without. What does not compile stays as it is."""
    places = [place for place in packages if os.access(place, os.W_OK)]
    if places:
        try:
            subprocess.run(
                [python, "-I", "-m", "compileall", "-q", "-q", *places],
                check=False, timeout=COMPILE_WITHIN, capture_output=True, env={"PATH": os.defpath}, cwd="/",
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired):
            return  # it runs without, only more slowly


def _unless_gone(path: Path, read: Callable[[Path], str]) -> str | None:
    if python_of(str(path)) is None:
        return None
    try:
        return read(path)
    except OSError:
        return None
