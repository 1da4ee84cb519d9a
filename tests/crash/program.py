"""What a notebook of the crash tests is: a real HTTP server that says who it is, and starts in milliseconds.

It stands in the image's environment and runs there with the standard library's smallest part: `program.py WHERE`, where
WHERE is a TCP port of loopback or the path of a socket.
"""

from __future__ import annotations

import os
import socket
import sys

LONGEST = 65536


def main(where: str) -> None:
    """Answer every request with one line: notebook, pid, start time in ticks after boot, the DCUs it may see."""
    with open("/proc/self/stat", encoding="ascii") as file:  # noqa: PTH123 - no pathlib: this starts hundreds of times
        started = file.read().rpartition(")")[2].split()[19]
    devices = os.environ.get("HIP_VISIBLE_DEVICES", "")
    told = (
        f'"notebook":"{os.environ["TRIVIUM_NOTEBOOK"]}","pid":{os.getpid()},"started":{started},"devices":"{devices}"'
    )
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(told) + 2}"
    answer = f"{head}\r\nConnection: close\r\n\r\n{{{told}}}".encode()
    listener = _listener(where)
    while True:
        connection, _ = listener.accept()
        try:
            _read_request(connection)
            connection.sendall(answer)
        except OSError:
            pass
        finally:
            connection.close()


def _listener(where: str) -> socket.socket:
    if where.isdigit():
        return socket.create_server(("127.0.0.1", int(where)))
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(where)
    listener.listen(64)
    return listener


def _read_request(connection: socket.socket) -> None:
    said = b""
    while b"\r\n\r\n" not in said and len(said) < LONGEST:
        part = connection.recv(4096)
        if not part:
            return
        said += part


if __name__ == "__main__":
    main(sys.argv[1])
