"""Small environments for the servers of tests, with all the packages of the environment that the tests run in.

A server makes its built-in image of the environment that it runs in, so it reads that whole environment when it first
starts on a data directory. The tests' own holds hundreds of megabytes; one of these holds a few links.
"""

from __future__ import annotations

import atexit
import shutil
import sys
import sysconfig
import tempfile
import venv
from functools import cache
from pathlib import Path

TRIVIUM = Path(sys.executable).with_name("trivium")  # of the environment that the tests run in
PROGRAM = """\
#!{python}
import sys
from trivium.cli import main
sys.exit(main())
"""


def install(place: Path) -> Path:
    """Make such an environment at `place`; its `trivium` command."""
    venv.create(place, symlinks=True)
    packages = place / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    (packages / "tests.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n", "utf-8")
    command = place / "bin" / "trivium"
    command.write_text(PROGRAM.format(python=place / "bin" / "python"), "utf-8")
    command.chmod(0o755)
    return command


@cache
def small() -> Path:
    """The command of one that this test process has, for all sites on which no JupyterLab is started."""
    place = Path(tempfile.mkdtemp(prefix="tv-"))
    place.chmod(0o755)  # its users' notebooks read it
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    return install(place / "server")
