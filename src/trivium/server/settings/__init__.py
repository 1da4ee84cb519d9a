"""Settings: what an installation is told, from where, and with which defaults.

Sources, the strongest first: flags of the command line; environment variables `TRIVIUM_SECTION__KEY`; a TOML file with
one table for each section (`--config FILE`, else the variable `TRIVIUM_CONFIG`, else `trivium.toml` in the data
directory); defaults. Unknown keys and wrong values are errors, all reported at once. `TRIVIUM_ADMIN_PASSWORD` is no
setting: it counts once, when a site is made.
"""

from trivium.server.settings.loading import KEYS, Loaded, SettingsRefused, load
from trivium.server.settings.sections import (
    Database,
    Datasets,
    Declared,
    Format,
    ImageList,
    Level,
    Log,
    ModelArts,
    Models,
    Node,
    Notebooks,
    Proxy,
    Runtime,
    Scnet,
    Security,
    Server,
    Settings,
    Site,
)
from trivium.server.settings.showing import Shown, masked, show
from trivium.server.settings.sources import Flags

__all__ = [
    "KEYS",
    "Database",
    "Datasets",
    "Declared",
    "Flags",
    "Format",
    "ImageList",
    "Level",
    "Loaded",
    "Log",
    "ModelArts",
    "Models",
    "Node",
    "Notebooks",
    "Proxy",
    "Runtime",
    "Scnet",
    "Security",
    "Server",
    "Settings",
    "SettingsRefused",
    "Shown",
    "Site",
    "load",
    "masked",
    "show",
]
