"""What is measured beside ours, or in place of ours, where it can be had."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from benchmarks.processes import Running, free_port, running
from trivium.base.values import Value

NGINX: Final = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log error;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 1000000000;
  map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
  upstream behind {{ server 127.0.0.1:{behind}; keepalive 64; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://behind;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_max_temp_file_size 0;
    }}
  }}
}}
"""


class Absent(Exception):
    """A proxy that cannot be had here; the sentence says why."""


class Program(Value, frozen=True, kw_only=True):
    """A proxy that can be had."""

    version: str
    start: Callable[[int], AbstractContextManager[Running]]  # one that leads to what listens on that port


def environment(package: str) -> Path:
    """The interpreter of a virtual environment, in a cache of ours, that has the newest of a package. Raises `Absent`.

    The package brings a program of its name.
    """
    folder = _cache() / package
    python = folder / "bin" / "python"
    if not (folder / "bin" / package).exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], capture_output=True, check=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "--upgrade", package]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            message = f"{package} is left out: pip cannot install it: {done.stderr.strip()[-200:]}"
            raise Absent(message)
    return python


def installed(folder: Path) -> Path:
    """The programs of a new environment with what users have: this checkout and what `make install` gives it."""
    subprocess.run(["make", "--silent", "install", f"VENV={folder}"], capture_output=True, check=True)
    return folder / "bin"


def said(python: Path, program: str) -> str:
    """What a program prints in such an environment."""
    return subprocess.run([python, "-c", program], capture_output=True, text=True, check=True).stdout.strip()


def nginx(folder: Path) -> Program:
    """Debian's. Raises `Absent`."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        raise Absent("nginx is left out: it is not installed (Debian: apt-get install nginx-light)")
    version = subprocess.run([program, "-v"], capture_output=True, text=True, check=True).stderr.strip()

    def start(behind: int) -> AbstractContextManager[Running]:
        port, own = free_port(), folder / f"nginx-{behind}"
        own.mkdir()
        file = own / "nginx.conf"
        file.write_text(NGINX.format(folder=own, port=port, behind=behind))
        command = [program, "-c", str(file), "-p", str(own), "-e", str(own / "nginx.log")]
        return running(command, port, ready="/small", log=own / "nginx.out")

    return Program(version=version.rpartition("/")[2], start=start)


def configurable_http_proxy(folder: Path) -> Program:
    """JupyterHub's, which npm puts into a cache of ours. Raises `Absent`."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise Absent("configurable-http-proxy is left out: node and npm are not installed")
    cache = _cache() / "node"
    package = cache / "node_modules" / "configurable-http-proxy"
    if not package.exists():
        cache.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--prefix", str(cache), "--no-audit", "--no-fund", "configurable-http-proxy"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Absent(f"configurable-http-proxy is left out: npm cannot install it: {done.stderr.strip()[-200:]}")
    program = str(package / "bin" / "configurable-http-proxy")
    version = subprocess.run([node, program, "--version"], capture_output=True, text=True, check=True).stdout.strip()

    def start(behind: int) -> AbstractContextManager[Running]:
        port = free_port()
        options = ["--ip", "127.0.0.1", "--port", str(port), "--api-ip", "127.0.0.1", "--api-port", str(free_port())]
        command = [node, program, *options, "--default-target", f"http://127.0.0.1:{behind}", "--log-level", "error"]
        return running(command, port, ready="/small", log=folder / f"chp-{behind}.log")

    return Program(version=version, start=start)


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "trivium-benchmarks"
