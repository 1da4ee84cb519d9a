"""Huawei's own client of ModelArts, unmodified: it warns of its own code, which is not ours to mend."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from huaweicloudsdkcore.auth.credentials import BasicCredentials
    from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
    from huaweicloudsdkcore.region.region import Region
    from huaweicloudsdkcore.sdk_request import SdkRequest
    from huaweicloudsdkcore.signer.signer import Signer
    from huaweicloudsdkmodelarts import v1 as sdk

__all__ = ["BasicCredentials", "ClientRequestException", "Region", "Sdk", "SdkRequest", "Signer", "quiet", "sdk"]


@contextmanager
def quiet():  # noqa: ANN201 - a context
    """Whatever the client warns of meanwhile is not told."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class Sdk:
    """A client for one project; its operations by their names, as keyword arguments of their requests."""

    def __init__(self, url: str, key: dict[str, str], *, region: str | None = None, **changed: str) -> None:
        told = {"access_key": key["access_key"], "secret_key": key["secret_key"], "project_id": key["project_id"]}
        told |= changed
        with quiet():
            if region is None:
                credentials = BasicCredentials(told["access_key"], told["secret_key"], told["project_id"])
                builder = sdk.ModelArtsClient.new_builder().with_endpoints([url])
            else:
                credentials = BasicCredentials(told["access_key"], told["secret_key"]).with_iam_endpoint(url)
                builder = sdk.ModelArtsClient.new_builder().with_region(Region(region, url))
            self.client = builder.with_credentials(credentials).build()

    def ask(self, operation: str, **fields: Any) -> Any:
        """The answer, as the client's own type. Raises what the client raises."""
        name = "".join(word.capitalize() for word in operation.split("_"))
        call: Callable[[Any], Any] = getattr(self.client, operation)
        with quiet():
            return call(getattr(sdk, f"{name}Request")(**fields))

    def raw(self, operation: str, **fields: Any) -> dict[str, Any]:
        """The same as the client writes it: what it knows of the answer, by the names of the wire."""
        return self.ask(operation, **fields).to_json_object()
