"""What can be asked of notebooks."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

from msgspec import Raw

from trivium.base.caller import Caller
from trivium.base.ids import uuid_of
from trivium.base.keyring import Keyring
from trivium.base.query import Listed, Query, Stamp
from trivium.base.site import Site
from trivium.dialects.modelarts.notebooks.shapes import CreateBody, ListQuery, NotebookShape, StartQuery
from trivium.dialects.modelarts.notebooks.translation import (
    Facts,
    list_query,
    may_grow,
    must_run_for_ever,
    notebook_record,
    notebook_shape,
    notebook_uuid,
    page_of,
    spec_of,
)
from trivium.dialects.modelarts.paging import PageShape, counts, paged
from trivium.dialects.operation import Call, Mark, Nothing, Operation, Read, View
from trivium.dialects.rendered import Page, Record, Rendered
from trivium.resources import images, nodes, notebooks, projects, users
from trivium.resources.images import Image, NoSuchImage
from trivium.resources.notebooks import Notebook

ONE: Final = "/v1/{project_id}/notebooks/{id}"
ALL: Final = "all"

Bare: TypeAlias = "Call[Nothing, Nothing]"
Listing: TypeAlias = "Call[Nothing, ListQuery]"
Stamps: TypeAlias = "Callable[[Read, Caller, Query], Listed[Stamp]]"
Load: TypeAlias = "Callable[[Read, Caller, Sequence[int]], Mapping[int, Notebook]]"


class Around(dict[tuple[int | None], int]):
    """What is shown with the notebooks of one answer from outside of their rows.

    As a mapping, bytes of the disks of nodes by their ids; each is looked up when it is asked for.
    """

    def __init__(self, tx: Read) -> None:
        super().__init__()
        self._tx = tx
        self._images: dict[int, Image] = {}
        self._owners: dict[int, UUID] = {}

    def __missing__(self, node: tuple[int | None]) -> int:
        found = 0 if node[0] is None else nodes.get(self._tx, node[0]).disk
        self[node] = found
        return found

    def of(self, notebook: Notebook) -> Facts:
        """What is shown with one of them."""
        if notebook.image not in self._images:
            self._images[notebook.image] = images.get_any(self._tx, notebook.image)
        if notebook.owner not in self._owners:
            self._owners[notebook.owner] = users.get(self._tx, notebook.owner).uuid
        image, domain = self._images[notebook.image], projects.get_domain(self._tx)
        return Facts(
            image=image.uuid,
            image_name=image.name,
            preset=image.preset,
            owner=self._owners[notebook.owner],
            domain=domain.uuid,
            domain_name=domain.name,
            disk=self[notebook.node,],
        )


def facts_of(tx: Read, notebook: Notebook) -> Facts:
    """What is shown with a notebook from outside of its row."""
    return Around(tx).of(notebook)


class Notebooks:
    """The operations, with what they keep between requests: records as text."""

    def __init__(self, keyring: Keyring, site: Site) -> None:
        self._keyring = keyring
        self._site = site
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
        core = call.core
        uuid = uuid_of(call.body.image_id)
        if uuid is None:
            raise NoSuchImage
        image = await call.read(images.by_uuid, uuid)
        spec = spec_of(call.body, image.path)
        there = await images.verify(core.store, core.places, image)
        able = await core.runtime.able(there)
        return await self._told(call, await call.write(notebooks.create, core.site, spec=spec, hosts=able))

    async def start(self, call: Call[Nothing, StartQuery]) -> NotebookShape:
        """Start a notebook that is stopped or failed."""
        must_run_for_ever(call.query.duration)
        return await self._told(call, await call.write(notebooks.start, (await self._named(call)).id))

    async def stop(self, call: Bare) -> NotebookShape:
        """Stop a notebook."""
        return await self._told(call, await call.write(notebooks.stop, (await self._named(call)).id))

    async def delete(self, call: Bare) -> NotebookShape:
        """Remove a notebook for good."""
        return await self._told(call, await call.write(notebooks.release, (await self._named(call)).id))

    async def _named(self, call: Call[Any, Any]) -> Notebook:
        return await call.read(notebooks.by_uuid, notebook_uuid(call.request.parameters["id"]))

    async def _told(self, call: Call[Any, Any], notebook: Notebook) -> NotebookShape:
        return self._shape(notebook, await call.core.store.read(facts_of, notebook))

    def _shape(self, notebook: Notebook, facts: Facts) -> NotebookShape:
        return notebook_shape(notebook, facts, keyring=self._keyring, site=self._site)

    def _record(self, notebook: Notebook, around: Around, now: datetime) -> Record:
        own = around.of(notebook)
        return notebook_record(notebook, own, now, shape=self._shape(notebook, own))

    def _listed(self, tx: Read, call: Listing, stamps: Stamps, *, load: Load, place: Hashable) -> Raw:
        caller, asked = call.caller, list_query(call.query)

        def make() -> tuple[Page, PageShape[Raw]]:
            found = stamps(tx, caller, asked)
            page = self._rendered.page(tx, found.rows, lambda ids: load(tx, caller, ids), facts=Around(tx))
            return page, paged(counts(page_of(call.query), found.total or 0), page.records)

        return self._rendered.answer(tx, (place, asked), make)


def operations(keyring: Keyring, site: Site) -> tuple[Operation, ...]:
    """All of them."""
    own = Notebooks(keyring, site)
    return (*_reading(own), *_acting(own))


def grows(_body: object, query: ListQuery) -> bool:
    """Whether what a list costs may grow with the table."""
    return may_grow(list_query(query))


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
            handler=View(look=own.list_all, may_grow=grows),
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
            name="StartNotebook",
            method="POST",
            path=f"{ONE}/start",
            handler=own.start,
            mark=Mark.COMPANION,
            summary="Start a notebook",
            query=StartQuery,
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
