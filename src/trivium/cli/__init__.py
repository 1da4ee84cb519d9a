"""The `trivium` command. What a command needs is imported when it runs, so that `trivium --help` answers at once."""

from trivium.cli.main import main

__all__ = ["main"]
