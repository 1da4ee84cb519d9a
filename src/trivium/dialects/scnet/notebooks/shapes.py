"""The shapes of notebooks on the wire."""

from __future__ import annotations

from msgspec import Raw

from trivium.dialects.scnet.spelling import Flag, Number, Shape


class NotebookShape(Shape, frozen=True, kw_only=True):
    """A notebook: every field of the documents' table and of their example, under both spellings of two of them."""

    id: str
    notebook_name: str
    notebook_status: str
    image_name: str
    image_path: str
    iamge_path: str  # as the documents' table spells it
    cpu_number: str
    accelerator_type: str
    accelerator_number: int
    resource_group_code: str
    resource_group_id: str
    accelerator_mode: str
    ram_size: str
    image_size: str
    create_time: str
    update_time: str
    release_time: str | None
    progress: int | None
    start_type: str = "normal"
    max_timeout: str | None
    ssh_password: str | None = None  # there is no SSH into notebooks
    service_ip: str | None = None  # notebooks are reached through the proxy alone, see `query_url`
    service_url: str | None = None
    ssh_url: str | None = None
    task_id: str
    enough_resource: bool
    container_id: str | None
    container_type: str | None = None
    max_number: int
    free_number: int
    node: str | None
    command: str | None
    customize_port: str | None
    customsize_port: str | None  # as the documents' table spells it
    error_message: str | None
    message: str | None


class NotebookPage(Shape, frozen=True, kw_only=True):
    """A page of notebooks."""

    total: int
    records: list[Raw]  # each a NotebookShape


class ListQuery(Shape, frozen=True, kw_only=True):
    """What is asked of the list."""

    notebook_name: str | None = None
    notebook_status: str | None = None
    size: str | None = None
    page: str | None = None


class IdQuery(Shape, frozen=True, kw_only=True):
    """Which notebook; the documents call its id by two names, and clients mix them up."""

    notebook_id: str | None = None
    id: str | None = None


class IdBody(Shape, frozen=True, kw_only=True):
    """The same in a body."""

    notebook_id: Number = None
    id: Number = None


class StopBody(IdBody, frozen=True, kw_only=True):
    """Which notebook to stop, and whether to keep its environment as an image before."""

    save_env: Flag = None


class NameBody(IdBody, frozen=True, kw_only=True):
    """Which notebook, and its new name."""

    notebook_name: str | None = None


class ServiceBody(IdBody, frozen=True, kw_only=True):
    """Which notebook, what to start in it, and where that will listen."""

    customize_port: Number = None
    customsize_port: Number = None
    command: str | None = None


class MountShape(Shape, frozen=True, kw_only=True):
    """A directory of the home, shown at another place."""

    source_path: str | None = None
    target_path: str | None = None
    permission: str | None = None


class CreateBody(Shape, frozen=True, kw_only=True):
    """What is asked for in a new notebook. What its image is called and how large it is, the image itself says."""

    cluster_id: Number = None
    image_path: str | None = None
    image_name: str | None = None
    accelerator_type: str | None = None
    accelerator_number: Number = None
    resource_group_code: str | None = None
    mount_home: Flag = None
    start_command: str | None = None
    mount_info: tuple[MountShape, ...] | None = None


class Created(Shape, frozen=True, kw_only=True):
    """A notebook that is being made."""

    task_id: str
    notebook_id: str


class LinkShape(Shape, frozen=True, kw_only=True):
    """Where something is reached."""

    status: str
    url: str


class ServiceStarted(Shape, frozen=True, kw_only=True):
    """What came of starting a service: whether it was seen on its port."""

    exec_success: bool
    error_msg: str | None
    output: str | None
