"""The notebooks' own listener: an `Access` decides who is admitted, this package carries the bytes."""

from trivium.server.proxy.access import Access, Admission, Credential, CredentialSource, Endpoint, Kind, Refused
from trivium.server.proxy.addresses import address_of
from trivium.server.proxy.metrics import Metrics as ProxyMetrics
from trivium.server.proxy.proxy import Proxy
from trivium.server.proxy.settings import ProxySettings
from trivium.server.proxy.targets import OtherProxy, OwnedPort, Target, UnixSocket

__all__ = [
    "Access",
    "Admission",
    "Credential",
    "CredentialSource",
    "Endpoint",
    "Kind",
    "OtherProxy",
    "OwnedPort",
    "Proxy",
    "ProxyMetrics",
    "ProxySettings",
    "Refused",
    "Target",
    "UnixSocket",
    "address_of",
]
