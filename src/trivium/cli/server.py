"""`trivium server`."""

from __future__ import annotations

import click

from trivium.server.admin.options import flags_of, output, places


@click.group()
def server() -> None:
    """Run the server."""


@server.command()
@click.option("--host", help="The address to listen on (default: 127.0.0.1).")
@click.option("--port", type=click.IntRange(0, 65535), help="The port of the APIs (default: 8800).")
@click.option("--proxy-port", type=click.IntRange(0, 65535), help="The port of the notebooks (default: 8801).")
@places
def start(host: str | None, port: int | None, proxy_port: int | None) -> None:
    """Start the server in the foreground. It makes what is not there yet: database, administrator, keys."""
    import os

    from trivium.cli.quick import quick_imports

    with quick_imports():
        from msgspec.structs import replace

        from trivium.server.run import main
        from trivium.server.settings import load

    flags = replace(flags_of(), host=host, port=port, proxy_port=proxy_port)
    main(load(flags, os.environ).settings)


@server.command("list")
@places
@output
def list_(output: str) -> None:
    """List the servers on the database, and which of them acts on which host."""
    from trivium.server.admin.servers import show

    show(output)
