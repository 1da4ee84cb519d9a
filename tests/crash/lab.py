"""The environment of the crash tests' images, with a JupyterLab that is the program that says who it is."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).with_name("program.py")
LAB = """\
import sys
from jupyterlab.program import main as serve

def main():
    serve(next(word.partition("=")[2] for word in sys.argv if word.startswith("--ServerApp.sock=")))
"""
FILES = {
    "jupyterlab/__init__.py": "",
    "jupyterlab/labapp.py": LAB,
    "jupyterlab/__main__.py": "from jupyterlab.labapp import main\nmain()\n",
    "jupyterlab-4.dist-info/METADATA": "Metadata-Version: 2.1\nName: jupyterlab\nVersion: 4\n",
    "ipykernel-7.dist-info/METADATA": "Metadata-Version: 2.1\nName: ipykernel\nVersion: 7\n",
}


def make_lab(environment: Path) -> None:
    """Make it, as an operator's: nobody else may write to it, so that a warm parent can be made of it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    packages = environment / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    for name, text in FILES.items():
        (packages / name).parent.mkdir(mode=0o755, exist_ok=True)
        (packages / name).write_text(text, "utf-8")
    shutil.copy(PROGRAM, packages / "jupyterlab" / "program.py")
