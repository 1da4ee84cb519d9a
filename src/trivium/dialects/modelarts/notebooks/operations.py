"""What can be asked of notebooks."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

from msgspec import Raw

from trivium.base.ids import uuid_of
from trivium.base.keyring import Keyring
from trivium.base.query import Listed, Stamp
from trivium.base.site import Site
from trivium.dialects.modelarts import workspaces
from trivium.dialects.modelarts.notebooks import leases, storage, tagging
from trivium.dialects.modelarts.notebooks.finding import named, notebook_uuid
from trivium.dialects.modelarts.notebooks.leases import Durations
from trivium.dialects.modelarts.notebooks.shapes import CreateBody, LeaseQuery, ListQuery, NotebookShape, UpdateBody
from trivium.dialects.modelarts.notebooks.translation import (
    Facts,
    change_of,
    may_grow,
    notebook_record,
    notebook_shape,
    page_of,
    sought,
    spec_of,
)
from trivium.dialects.modelarts.paging import PageShape, counts, paged
from trivium.dialects.modelarts.settings import ModelArtsSettings
from trivium.dialects.operation import Call, Mark, Nothing, Operation, Read, View, always
from trivium.dialects.rendered import Page, Record, Rendered
from trivium.resources import images, nodes, notebooks, projects, users
from trivium.resources import workspaces as rooms
from trivium.resources.images import Image, NoSuchImage
from trivium.resources.notebooks import Notebook
from trivium.resources.tags import Tag

ONE: Final = "/v1/{project_id}/notebooks/{id}"
ALL: Final = "all"

Bare: TypeAlias = "Call[Nothing, Nothing]"
Listing: TypeAlias = "Call[Nothing, ListQuery]"
Stamps: TypeAlias = "Callable[..., Listed[Stamp]]"
Load: TypeAlias = "Callable[..., Mapping[int, Notebook]]"
About: TypeAlias = "tuple[int | None, int]"


class Around(dict[About, tuple[int, UUID | None]]):
    """What is shown with the notebooks of one answer from outside of their rows.

    As a mapping, bytes of a node's disk and a workspace's UUID, by both their ids; each is looked up when asked for.
    """

    def __init__(self, tx: Read) -> None:
        super().__init__()
        self._tx = tx
        self._images: dict[int, Image] = {}
        self._owners: dict[int, UUID] = {}
        self._tags: dict[int, Sequence[Tag]] = {}

    def __missing__(self, about: About) -> tuple[int, UUID | None]:
        node, workspace = about
        disk = 0 if node is None else nodes.get(self._tx, node).disk
        self[about] = found = disk, rooms.uuids_of(self._tx, (workspace,)).get(workspace)
        return found

    def with_tags(self, found: Mapping[int, Notebook]) -> Mapping[int, Notebook]:
        """The same notebooks, whose tags are known then: with one look for all."""
        self._tags.update(notebooks.tags_of_many(self._tx, found))
        return found

    def of(self, notebook: Notebook) -> Facts:
        """What is shown with one of them, whose tags are known."""
        if notebook.image not in self._images:
            self._images[notebook.image] = images.get_any(self._tx, notebook.image)
        if notebook.owner not in self._owners:
            self._owners[notebook.owner] = users.get(self._tx, notebook.owner).uuid
        image, domain = self._images[notebook.image], projects.get_domain(self._tx)
        disk, workspace = self[notebook.node, notebook.workspace]
        return Facts(
            image=image.uuid,
            image_name=image.name,
            preset=image.preset,
            owner=self._owners[notebook.owner],
            domain=domain.uuid,
            domain_name=domain.name,
            tags=tuple(self._tags[notebook.id]),
            disk=disk,
            workspace=workspace,
        )


def facts_of(tx: Read, notebook: Notebook) -> Facts:
    """What is shown with a notebook from outside of its row."""
    around = Around(tx)
    around.with_tags({notebook.id: notebook})
    return around.of(notebook)


class Notebooks:
    """The operations, with what they keep between requests: records as text."""

    def __init__(self, keyring: Keyring, site: Site, durations: Durations) -> None:
        self._keyring = keyring
        self._site = site
        self._durations = durations
        self._rendered: Rendered[Notebook] = Rendered(self._record)

    def list_own(self, tx: Read, call: Listing) -> Raw:
        """A page of the project's notebooks, as the text of a page."""
        return self._listed(tx, call, notebooks.list_stamps, load=notebooks.by_ids, place=call.caller.project)

    def list_all(self, tx: Read, call: Listing) -> Raw:
        """The same of all users', and for an administrator of all projects'."""
        place = ALL if call.caller.is_admin else call.caller.project
        return self._listed(tx, call, notebooks.list_all_stamps, load=notebooks.all_by_ids, place=place)

    def show(self, tx: Read, call: Bare) -> NotebookShape:
        """One notebook."""
        found = notebooks.by_uuid(tx, call.caller, notebook_uuid(call.request.parameters["id"]))
        return self._shape(found, facts_of(tx, found))

    async def create(self, call: Call[CreateBody, Nothing]) -> NotebookShape:
        """A new notebook, which is there at once and comes to run by itself."""
        core, body = call.core, call.body
        image = await _image(call, body.image_id)
        workspace = await call.read(workspaces.chosen, body.workspace_id)
        asked = body.lease if body.duration is None and body.lease else LeaseQuery(duration=body.duration)
        lease = self._durations.asked(asked.duration, asked.type)
        spec = spec_of(body, image_path=image.path, image=image.uuid, workspace=workspace or 0, lease=lease)
        there = await images.verify(core.store, core.places, image)
        able = await core.runtime.able(there)
        return await self._told(call, await call.write(notebooks.create, core.site, spec=spec, hosts=able))

    async def update(self, call: Call[UpdateBody, Nothing]) -> NotebookShape:
        """Change a notebook; image, flavor and hooks only while it is stopped."""
        core, found = call.core, await named(call)
        image = await _image(call, call.body.image_id) if call.body.image_id else None
        to = change_of(call.body, image_path=image.path if image else None, image=image.uuid if image else None)
        hosts = await images.verify(core.store, core.places, image) if image else ()
        return await self._told(call, await call.write(notebooks.update, found.id, to=to, hosts=hosts))

    async def start(self, call: Call[Nothing, LeaseQuery]) -> NotebookShape:
        """Start a notebook that is stopped or failed."""
        lease = self._durations.asked(call.query.duration, call.query.type)
        return await self._told(call, await call.write(notebooks.start, (await named(call)).id, lease=lease))

    async def stop(self, call: Bare) -> NotebookShape:
        """Stop a notebook."""
        return await self._told(call, await call.write(notebooks.stop, (await named(call)).id))

    async def delete(self, call: Bare) -> NotebookShape:
        """Remove a notebook for good."""
        return await self._told(call, await call.write(notebooks.release, (await named(call)).id))

    async def _told(self, call: Call[Any, Any], notebook: Notebook) -> NotebookShape:
        return self._shape(notebook, await call.core.store.read(facts_of, notebook))

    def _shape(self, notebook: Notebook, facts: Facts) -> NotebookShape:
        return notebook_shape(notebook, facts, keyring=self._keyring, site=self._site)

    def _record(self, notebook: Notebook, around: Around, now: datetime) -> Record:
        own = around.of(notebook)
        return notebook_record(notebook, own, now, shape=self._shape(notebook, own))

    def _listed(self, tx: Read, call: Listing, stamps: Stamps, *, load: Load, place: Hashable) -> Raw:
        caller, query = call.caller, call.query

        def make() -> tuple[Page, PageShape[Raw]]:
            asked = sought(query, workspaces.chosen(tx, caller, query.workspace_id, query.workspaceId))
            around = Around(tx)
            found = stamps(tx, caller, asked.query, scope=asked.scope, tagged=asked.tagged)

            def rows(ids: Sequence[int]) -> Mapping[int, Notebook]:
                return around.with_tags(load(tx, caller, ids, scope=asked.scope))

            page = self._rendered.page(tx, found.rows, rows, facts=around)
            return page, paged(counts(page_of(call.query), found.total or 0), page.records)

        return self._rendered.answer(tx, (place, call.asked), make)


def operations(keyring: Keyring, site: Site, settings: ModelArtsSettings) -> tuple[Operation, ...]:
    """All of them."""
    durations = Durations(settings)
    own = Notebooks(keyring, site, durations)
    return (*_reading(own), *_acting(own), *leases.operations(durations), *tagging.OPERATIONS, *storage.OPERATIONS)


def grows(_body: object, query: ListQuery) -> bool:
    """Whether what a list costs may grow with the table."""
    return may_grow(query)


async def _image(call: Call[Any, Any], text: str) -> Image:
    """The image that a body names. `NoSuchImage`."""
    uuid = uuid_of(text)
    if uuid is None:
        raise NoSuchImage
    return await call.read(images.by_uuid, uuid)


def _reading(own: Notebooks) -> tuple[Operation, ...]:
    return (
        Operation(
            name="ListNotebooks",
            method="GET",
            path="/v1/{project_id}/notebooks",
            handler=View(look=own.list_own, may_grow=grows),
            mark=Mark.SEED,
            summary="The project's notebooks, a page at a time",
            query=ListQuery,
        ),
        Operation(
            name="ListAllNotebooks",
            method="GET",
            path="/v1/{project_id}/notebooks/all",
            handler=View(look=own.list_all, may_grow=always),
            mark=Mark.COMPANION,
            summary="All users' notebooks, for an administrator those of all projects",
            query=ListQuery,
        ),
        Operation(
            name="ShowNotebook",
            method="GET",
            path=ONE,
            handler=View(look=own.show),
            mark=Mark.COMPANION,
            summary="One notebook",
        ),
    )


def _acting(own: Notebooks) -> tuple[Operation, ...]:
    return (
        Operation(
            name="CreateNotebook",
            method="POST",
            path="/v1/{project_id}/notebooks",
            handler=own.create,
            mark=Mark.COMPANION,
            summary="A new notebook",
            body=CreateBody,
        ),
        Operation(
            name="UpdateNotebook",
            method="PUT",
            path=ONE,
            handler=own.update,
            mark=Mark.COMPANION,
            summary="Change a notebook's name, description and volume, and while it is stopped its image and flavor",
            body=UpdateBody,
        ),
        Operation(
            name="StartNotebook",
            method="POST",
            path=f"{ONE}/start",
            handler=own.start,
            mark=Mark.COMPANION,
            summary="Start a notebook",
            query=LeaseQuery,
        ),
        Operation(
            name="StopNotebook",
            method="POST",
            path=f"{ONE}/stop",
            handler=own.stop,
            mark=Mark.COMPANION,
            summary="Stop a notebook",
        ),
        Operation(
            name="DeleteNotebook",
            method="DELETE",
            path=ONE,
            handler=own.delete,
            mark=Mark.COMPANION,
            summary="Remove a notebook for good",
        ),
    )
