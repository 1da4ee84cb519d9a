"""Small environments for the servers of tests, with all the packages of the environment that the tests run in.

A server makes its built-in image of the environment that it runs in, so it reads that whole environment when it first
starts on a data directory. The tests' own holds hundreds of megabytes; one of these holds a few links.
"""

from __future__ import annotations

import sys
import sysconfig
import venv
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
