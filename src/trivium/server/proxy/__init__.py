"""The notebooks' own listener: who may enter is asked of an `Access`, the bytes are carried by this room."""

from trivium.server.proxy.access import Access, Credential, Door, Held, Kind, Pass, Refused, Way
from trivium.server.proxy.doors import address_of
from trivium.server.proxy.metrics import Metrics as ProxyMetrics
from trivium.server.proxy.proxy import Proxy
from trivium.server.proxy.settings import ProxySettings
from trivium.server.proxy.targets import OtherProxy, OwnedPort, Target, UnixSocket

__all__ = [
    "Access",
    "Credential",
    "Door",
    "Held",
    "Kind",
    "OtherProxy",
    "OwnedPort",
    "Pass",
    "Proxy",
    "ProxyMetrics",
    "ProxySettings",
    "Refused",
    "Target",
    "UnixSocket",
    "Way",
    "address_of",
]
