"""The region that a token is for, and where its services are."""

from __future__ import annotations

from trivium.dialects.operation import Call, Mark, Nothing, Operation, Read, View
from trivium.dialects.scnet.spelling import Shape

VERSION = "2.0"


class RegionUser(Shape, frozen=True, kw_only=True):
    """The user as the region knows them."""

    user_name: str
    home_path: str


class Entry(Shape, frozen=True, kw_only=True):
    """Where a service of the region is reached."""

    url: str
    enable: str = "true"  # clients compare it with this text
    version: str = VERSION


class Center(Shape, frozen=True, kw_only=True):
    """A region. Services that are not there have no entries: some clients use an entry whatever its `enable` says."""

    id: int
    name: str
    description: str
    cluster_user_info: RegionUser
    ai_urls: tuple[Entry, ...]
    hpc_urls: tuple[Entry, ...] = ()
    efile_urls: tuple[Entry, ...] = ()
    eshell_urls: tuple[Entry, ...] = ()
    ingress_urls: tuple[Entry, ...] = ()


def get_center(_tx: Read, call: Call[Nothing, Nothing]) -> Center:
    """The region of the token; of a platform token the one region there is, where SCNet itself answers with a fault."""
    site, caller = call.core.site, call.caller
    # A client reaches the services under the address that it reached us under. What ends TLS in front of us is not seen
    # from here, so the operator's word counts first: without it clients would be sent on by plain http.
    base = site.public_url or call.request.base_url or site.url
    return Center(
        id=site.id,
        name=site.name,
        description=site.name,
        cluster_user_info=RegionUser(user_name=caller.user_name, home_path=str(site.homes / str(caller.user))),
        ai_urls=(Entry(url=f"{base}/ai"),),
    )


OPERATIONS = (
    Operation(
        name="GetCenter",
        method="GET",
        path="/ac/openapi/v2/center",
        handler=View(get_center),
        mark=Mark.COMPANION,
        summary="The region of a token, and where its services are",
    ),
)
