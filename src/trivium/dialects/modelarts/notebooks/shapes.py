"""The shapes of notebooks on the wire: of `NotebookResp` and `NotebookCreateRequest` what there is here."""

from __future__ import annotations

from trivium.dialects.modelarts.spelling import Shape, Text
from trivium.dialects.operation import Wire


class ImageShape(Shape, frozen=True, kw_only=True):
    """The image that a notebook was made of."""

    id: str
    name: str
    swr_path: str
    type: str


class LeaseShape(Shape, frozen=True, kw_only=True):
    """How long a notebook runs before it is stopped; a duration of -1 is for ever."""

    create_at: int
    duration: int
    enable: bool
    type: str
    update_at: int


class PoolShape(Shape, frozen=True, kw_only=True):
    """The pool that a notebook is in."""

    id: str
    name: str


class VolumeShape(Shape, frozen=True, kw_only=True):
    """The storage of a notebook that outlives it: the user's home."""

    capacity: int  # GB
    category: str
    mount_path: str
    ownership: str
    status: str
    mount_type: str


class DataVolumeShape(Shape, frozen=True, kw_only=True):
    """A directory of the home, shown at another place; its source has two names, as requests and answers differ."""

    category: str
    mount_path: str
    url: str
    uri: str
    status: str
    mount_type: str


class TagShape(Shape, frozen=True, kw_only=True):
    """A tag of a notebook."""

    key: str
    value: str


class DomainShape(Shape, frozen=True, kw_only=True):
    """The account that a user belongs to."""

    id: str
    name: str


class UserShape(Shape, frozen=True, kw_only=True):
    """Whose a notebook is."""

    id: str
    name: str
    domain: DomainShape


class NotebookShape(Shape, frozen=True, kw_only=True):
    """A notebook. What is not known is left out."""

    id: str
    name: str
    description: str
    feature: str
    flavor: str
    status: str
    image: ImageShape
    lease: LeaseShape
    token: str
    url: str = ""
    volume: VolumeShape
    data_volumes: tuple[DataVolumeShape, ...] = ()
    pool: PoolShape
    user: UserShape
    user_id: str
    fail_reason: str = ""
    ip: str = ""
    tags: tuple[TagShape, ...] = ()
    workspace_id: str
    create_at: int
    update_at: int


class ListQuery(Wire, frozen=True, kw_only=True):
    """What is asked of the lists."""

    feature: Text = None
    limit: int | None = None
    offset: int | None = None
    name: Text = None
    pool_id: Text = None
    owner: Text = None
    sort_dir: Text = None
    sort_key: Text = None
    status: Text = None
    workspaceId: Text = None  # noqa: N815 - as the seed's page spells it
    workspace_id: Text = None
    flavor: Text = None
    image_id: Text = None
    id: Text = None
    billing: Text = None
    tags: Text = None
    swr_path: Text = None
    pool_name: Text = None
    description: Text = None
    ip: Text = None
    username: Text = None


class VolumeBody(Wire, frozen=True, kw_only=True):
    """A volume that is asked for; of a data volume the source is named."""

    category: str
    ownership: Text = None
    uri: Text = None
    mount_path: Text = None
    read_only: bool | None = None
    capacity: int | None = None


class HookBody(Wire, frozen=True, kw_only=True):
    """What is run when a notebook starts."""

    script: Text = None
    type: Text = None


class ContainerHooks(Wire, frozen=True, kw_only=True):
    """The same, before and after the container is there."""

    post_start: HookBody | None = None
    pre_start: HookBody | None = None


class HooksBody(Wire, frozen=True, kw_only=True):
    """All hooks."""

    container_hooks: ContainerHooks | None = None


class LeaseBody(Wire, frozen=True, kw_only=True):
    """How long it shall run."""

    duration: int | None = None
    type: Text = None


class EndpointBody(Wire, frozen=True, kw_only=True):
    """How it shall be reached."""

    service: Text = None


class Given(Wire, frozen=True, kw_only=True):
    """Something that is not looked into."""


class CreateBody(Wire, frozen=True, kw_only=True):
    """What is asked for in a new notebook."""

    name: str
    image_id: str
    volume: VolumeBody
    description: Text = None
    feature: Text = None
    flavor: Text = None
    pool_id: Text = None
    workspace_id: Text = None
    duration: int | None = None
    lease: LeaseBody | None = None
    endpoints: tuple[EndpointBody, ...] = ()
    hooks: HooksBody | None = None
    data_volumes: tuple[VolumeBody, ...] = ()
    custom_spec: Given | None = None
    user_vpc: Given | None = None


class UpdateBody(Wire, frozen=True, kw_only=True):
    """What is to be another of a notebook."""

    name: Text = None
    description: Text = None
    flavor: Text = None
    image_id: Text = None
    storage_new_size: int | None = None  # GB
    endpoints: tuple[EndpointBody, ...] = ()
    hooks: HooksBody | None = None
    data_volumes: tuple[VolumeBody, ...] = ()
    custom_spec: Given | None = None


class LeaseQuery(Wire, frozen=True, kw_only=True):
    """How long it shall run from now on."""

    duration: int | None = None
    type: Text = None
