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


@server.command()
@click.argument("host", metavar="HOST")
@click.option("--lost", is_flag=True, help="Its machine is lost: what was on it is gone with it.")
@places
@output
def forget(host: str, output: str, *, lost: bool) -> None:
    """Forget HOST, by its id or its machine's name, when it will never come back.

    Refused while a server is on it. Without --lost also while it has notebooks, or images that users saved there:
    release and remove those before.
    """
    from trivium.server.admin import servers

    if lost:
        servers.forget_lost(host, output)
    else:
        servers.forget(host, output)
