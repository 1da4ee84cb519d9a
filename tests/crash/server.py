"""The server of the crash tests: started as an operator starts it, killed as no operator would."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from tests.crash import machine
from tests.crash.lab import PROGRAM, make_lab
from tests.crash.scnet import Key
from tests.installation import install
from tests.waiting import until

ROOT = Path(__file__).parents[2]
CARDS = 8
CAPACITY = {
    "TRIVIUM_NODE__ACCELERATORS": f"dcu:{CARDS}",
    "TRIVIUM_NODE__CORES": str(CARDS),
    "TRIVIUM_NODE__MEMORY": f"{CARDS}GiB",
}
STARTS_WITHIN = 60.0
STOPS_WITHIN = 30.0  # the product says five; this machine may be busy with other tests


class Site:
    """A data directory, a database, and the server on it, which is there or not.

    `trivium` is the command that is the server; None: one in a small environment of its own.
    """

    def __init__(self, database: str | None = None, trivium: Path | None = None, /, **environment: str) -> None:
        # Notebooks run under uids of their own, and sockets have short names: not below pytest's directories.
        self.top = Path(tempfile.mkdtemp(prefix="tc-"))
        self.top.chmod(0o711)
        self.data = self.top / "data"
        self.python = self.top / "python"
        self.trivium = trivium or install(self.top / "server")
        self.small = self.lab = ""  # images' paths, once it is furnished: one that is started, and one that is forked
        self.log = self.top / "server.log"
        self.database = database or f"sqlite:///{self.data / 'trivium.db'}"
        self.port, self.proxy_port = machine.free_port(), machine.free_port()
        self.process: subprocess.Popen[bytes] | None = None
        known = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
        self.environment = {**known, **CAPACITY, **environment}
        self._places = ["--data", str(self.data), *(["--database", database] if database else [])]

    def share(self, other: Site) -> None:
        """Put the server on another's data directory."""
        self.data, self.python = other.data, other.python
        self._places = other.places

    @property
    def places(self) -> list[str]:
        """What names data directory and database on the command line."""
        return self._places

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # ---- the operator --------------------------------------------------------------------------------------------

    def furnish(self, users: tuple[str, ...]) -> list[Key]:
        """Make these users with a key each, and two images of an environment whose notebooks say who they are."""
        make_lab(self.python)
        shutil.copy(PROGRAM, self.python / "program.py")
        program = ("python", "-I", "-S", str(self.python / "program.py"), "{socket}")
        lines = [line for user in users for line in (("user", "create", user), ("key", "create", "--user", user))]
        made = self.type_all(*lines, self._adding("small:1", *program), self._adding("lab:1"))
        self.small, self.lab = (one["path"] for one in made[-2:])
        return [
            Key(**{name: one[name] for name in ("user", "access_key", "secret_key", "site_id")})
            for one in made[1 : 2 * len(users) : 2]
        ]

    def image(self, version: str, *words: str, path: Path | None = None) -> str:
        """Add an image that runs a command in an environment; the path under which it is asked for."""
        return self.type(*self._adding(version, *words, path=path))["path"]

    def give_password(self, user: str, password: str) -> None:
        """Give a user a password."""
        command = [str(self.trivium), "user", "password", user, "--password-stdin", *self._places]
        subprocess.run(command, input=password, text=True, check=True, capture_output=True, env=self.environment)

    def _adding(self, version: str, *words: str, path: Path | None = None) -> tuple[str, ...]:
        command = ("--command", " ".join(words)) if words else ()
        return ("image", "add", version, "--path", str(path or self.python), "--accelerator", "dcu", *command)

    def type(self, *words: str) -> Any:
        """Type a command; what it prints."""
        (told,) = self.type_all(words)
        return told

    def type_all(self, *lines: Sequence[str]) -> list[Any]:
        """Type one command after the other; what each prints."""
        typed = json.dumps([[*line, *self._places, "-o", "json"] for line in lines])
        command = [str(self.trivium.with_name("python")), "-m", "tests.shell"]
        done = subprocess.run(
            command, input=typed, capture_output=True, text=True, check=False, env=self.environment, cwd=ROOT
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    # ---- the server ----------------------------------------------------------------------------------------------

    def spawn(self, *program: str) -> subprocess.Popen[bytes]:
        """Start the server, and do not wait for it. `program`: what runs its command line, if not `trivium`."""
        assert self.process is None
        ports = ["--port", str(self.port), "--proxy-port", str(self.proxy_port)]
        command = [*(program or (str(self.trivium),)), "server", "start", *ports, *self._places]
        with self.log.open("ab") as output:
            output.write(f"---- start at {time.monotonic():.3f}\n".encode())
            output.flush()
            self.process = subprocess.Popen(command, stdout=output, stderr=output, env=self.environment, cwd=ROOT)
        return self.process

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        self.spawn()
        until(self.answers, within=STARTS_WITHIN, what="an answer of the server")

    def answers(self) -> bool:
        """Whether the server answers, ready or not."""
        assert self.process is not None
        assert self.process.poll() is None, f"the server ended with {self.process.returncode}\n{self.said()}"
        try:
            return httpx.get(f"{self.url}/healthz", trust_env=False, timeout=5.0).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def is_ready(self) -> bool:
        """Whether it says that it is ready."""
        return httpx.get(f"{self.url}/readyz", trust_env=False, timeout=5.0).status_code == httpx.codes.OK

    @property
    def is_dead(self) -> bool:
        """Whether the server ended by itself."""
        return self.process is None or self.process.poll() is not None

    def kill(self) -> None:
        """Kill -9; one that is dead already is reaped."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        assert self.process is not None
        process, self.process = self.process, None
        process.terminate()
        return process.wait(STOPS_WITHIN)

    def signal(self, number: int) -> None:
        """Send it a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def said(self, characters: int = 6000) -> str:
        """The end of what it said."""
        return self.log.read_text("utf-8", "replace")[-characters:]

    # ---- the end -------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """End everything: the server, the notebooks, the keeper, and remove the directory."""
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.kill()
        machine.clear(self.data)
        shutil.rmtree(self.top, ignore_errors=True)
