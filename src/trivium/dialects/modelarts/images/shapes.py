"""The shapes of images on the wire."""

from __future__ import annotations

from trivium.dialects.modelarts.notebooks.shapes import TagShape
from trivium.dialects.modelarts.spelling import Shape, Text
from trivium.dialects.modelarts.tags import TagBody
from trivium.dialects.operation import Wire


class ImageShape(Shape, frozen=True, kw_only=True):
    """An image, as lists show it."""

    arch: str
    create_at: int
    description: str
    dev_services: tuple[str, ...]
    id: str
    name: str
    namespace: str
    origin: str
    resource_categories: tuple[str, ...]
    service_type: str
    size: int  # KB
    status: str
    status_message: str = ""
    swr_path: str
    tag: str
    type: str
    update_at: int
    visibility: str
    workspace_id: str
    flavor_type: str = ""
    show_name: str = ""
    show_tag: str = ""
    tags: tuple[TagShape, ...] = ()


class WholeImageShape(ImageShape, frozen=True, kw_only=True):
    """One image, which says twice what it is made for."""

    support_res_categories: tuple[str, ...]


class GroupShape(Shape, frozen=True, kw_only=True):
    """The images of one name."""

    id: str
    name: str
    create_at: int
    namespace: str
    update_at: int
    version_count: int
    description: str = ""
    read_me: str = ""


class GroupPage(Shape, frozen=True, kw_only=True):
    """A page of groups."""

    current: int
    data: list[GroupShape]
    pages: int
    size: int
    total: int
    is_swr_enterprise: bool


class DoneShape(Shape, frozen=True, kw_only=True):
    """That something was done."""


class ImagesQuery(Wire, frozen=True, kw_only=True):
    """What is asked of the list."""

    limit: int | None = None
    offset: int | None = None
    name: Text = None
    name_fuzzy_match: bool | None = None
    namespace: Text = None
    service_type: Text = None
    sort_dir: Text = None
    sort_key: Text = None
    type: Text = None
    workspace_id: Text = None
    show_name: Text = None
    show_tag: Text = None


class GroupsQuery(Wire, frozen=True, kw_only=True):
    """What is asked of the list of groups."""

    limit: int | None = None
    offset: int | None = None
    name: Text = None
    name_fuzzy_match: bool | None = None
    namespace: Text = None
    type: Text = None
    workspace_id: Text = None
    swr_instance_id: Text = None


class CreateImageBody(Wire, frozen=True, kw_only=True):
    """What a notebook's environment is to be saved as."""

    name: str
    namespace: str
    tag: Text = None
    description: Text = None
    workspace_id: Text = None
    swr_instance_id: Text = None
    swr_instance_domain: Text = None


class RegisterImageBody(Wire, frozen=True, kw_only=True):
    """The image that a project is to have, and what is said of it. Tags are told as `key=value`, or as objects."""

    swr_path: str
    arch: Text = None
    description: Text = None
    origin: Text = None
    resource_category: tuple[str, ...] | None = None
    service_type: Text = None
    services: tuple[str, ...] | None = None
    visibility: Text = None
    workspace_id: Text = None
    flavor_type: Text = None
    tags: tuple[str | TagBody, ...] | None = None
    swr_instance_id: Text = None
    read_me: Text = None


class DeleteImageBody(Wire, frozen=True, kw_only=True):
    """How images are deleted: what only they have is always dropped, once no notebook needs it."""

    is_force: bool | None = None


class UpdateGroupBody(Wire, frozen=True, kw_only=True):
    """What is said of a group; what is absent stays as it is."""

    read_me: Text = None
    tags: tuple[TagBody, ...] | None = None
