"""The same load from wrk, a client in C: beside servers on two cores, one in Python takes the processor that they need.

wrk looks at the status of every answer only; what is in them is checked before, one of each.
"""

from __future__ import annotations

import resource
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.load import Counted, Order, WrongAnswer
from trivium.base.values import Value

SCRIPT: Final = r"""
local heads, at = {}, 0
function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  for head in file:read("*a"):gmatch("(.-\r\n\r\n)") do heads[#heads + 1] = head end
  file:close()
end
function request()
  at = at % #heads + 1
  return heads[at]
end
function done(summary, latency)
  local errors, wrong = summary.errors, 0
  for _, kind in ipairs({"connect", "read", "write", "status", "timeout"}) do wrong = wrong + errors[kind] end
  print(string.format('{"answers":%d,"microseconds":%d,"wrong":%d,"p50":%d,"p99":%d}',
    summary.requests, summary.duration, wrong, latency:percentile(50), latency:percentile(99)))
end
"""


class _Done(Value, frozen=True, kw_only=True):
    answers: int
    microseconds: int
    wrong: int  # answers with another status than 2xx or 3xx, or none
    p50: int  # microseconds
    p99: int


def program() -> str | None:
    """Where wrk is; None where it is not installed (Debian: apt-get install wrk)."""
    return shutil.which("wrk")


def ask(order: Order) -> Counted:
    """Run an order of GETs. Raises `WrongAnswer`."""
    for request in order.requests:
        _check(order, request.encode("latin-1"))
    with tempfile.TemporaryDirectory() as folder:
        script, heads = Path(folder, "script.lua"), Path(folder, "heads")
        script.write_text(SCRIPT, "utf-8")
        heads.write_bytes("".join(order.requests).encode("latin-1"))
        options = ["-t", "1", "-c", str(order.connections), "-d", f"{max(round(order.seconds), 1)}s", "-s", str(script)]
        command = [str(program()), *options, f"http://127.0.0.1:{order.port}", "--", str(heads)]
        before = _children()
        done = subprocess.run(command, capture_output=True, check=True)
        cpu = _children() - before
    found = msgspec.json.decode(done.stdout.strip().rpartition(b"\n")[2], type=_Done)
    if found.wrong:
        raise WrongAnswer(f"{found.wrong} of {found.answers} answers were errors, or did not come")
    return Counted(
        answers=found.answers, seconds=found.microseconds / 1e6, cpu=cpu, p50=found.p50 / 1e6, p99=found.p99 / 1e6
    )


def _check(order: Order, request: bytes) -> None:
    with socket.create_connection(("127.0.0.1", order.port), timeout=30) as connection:
        connection.sendall(request)
        answer = b""
        expected = order.expected.encode()
        while len(answer.partition(b"\r\n\r\n")[2]) < len(expected):
            got = connection.recv(1 << 16)
            if not got:
                break
            answer += got
        if not answer.startswith(b"HTTP/1.1 200 ") or not answer.partition(b"\r\n\r\n")[2].startswith(expected):
            raise WrongAnswer(repr(answer[:400]))


def _children() -> float:
    """Seconds of processor that all ended children have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
