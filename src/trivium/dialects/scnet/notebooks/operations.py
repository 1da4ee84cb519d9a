"""What can be asked of notebooks."""

from __future__ import annotations

from typing import Final

from msgspec import Raw

from trivium.base.text import Language
from trivium.dialects.operation import Call, Mark, Nothing, Operation, Read, View
from trivium.dialects.rendered import Page, Rendered
from trivium.dialects.scnet.notebooks.shapes import (
    CreateBody,
    Created,
    IdBody,
    IdQuery,
    LinkShape,
    ListQuery,
    NameBody,
    NotebookPage,
    NotebookShape,
    ServiceBody,
    ServiceStarted,
    StopBody,
)
from trivium.dialects.scnet.notebooks.translation import (
    link_shape,
    list_query,
    may_grow,
    named,
    notebook_record,
    notebook_shape,
    spec_of,
)
from trivium.dialects.scnet.spelling import flag, required, required_whole
from trivium.resources import images, nodes, notebooks
from trivium.resources.notebooks import Notebook

LAST_PORT: Final = 65535


async def create_notebook(call: Call[CreateBody, Nothing]) -> Created:
    """A new notebook, which is there at once and comes to run by itself."""
    core = call.core
    spec = spec_of(call.body, core.site, call.caller)
    there = await images.verify(core.store, core.places, await call.read(images.by_path, spec.image_path))
    able = await core.runtime.able(there)
    made = await call.write(notebooks.create, core.site, spec=spec, hosts=able)
    return Created(task_id=str(made.operation), notebook_id=str(made.id))


async def start_notebook(call: Call[IdBody, Nothing]) -> bool:
    """Start a notebook that is stopped or failed."""
    await call.write(notebooks.start, named(call.body, "notebookId"))
    return True


async def stop_notebook(call: Call[StopBody, Nothing]) -> bool:
    """Stop a notebook, and where it is asked for keep its environment as an image before."""
    notebook = named(call.body, "notebookId")
    if flag(call.body.save_env, "saveEnv", default=False):
        await call.write(notebooks.save_and_stop, call.core.site, notebook=notebook)
    else:
        await call.write(notebooks.stop, notebook)
    return True


async def release_notebook(call: Call[IdBody, Nothing]) -> bool:
    """Remove a notebook for good."""
    await call.write(notebooks.release, named(call.body, "id"))
    return True


async def rename_notebook(call: Call[NameBody, Nothing]) -> bool:
    """Give a notebook another name."""
    notebook = named(call.body, "id")
    await call.write(notebooks.rename, notebook, name=required(call.body.notebook_name, "notebookName"))
    return True


def query_url(tx: Read, call: Call[Nothing, IdQuery]) -> LinkShape:
    """Where a notebook's JupyterLab is opened."""
    core = call.core
    notebook = named(call.query, "notebookId")
    return link_shape(notebooks.link(tx, call.caller, notebook, keyring=core.keyring, site=core.site))


async def start_service(call: Call[ServiceBody, Nothing]) -> ServiceStarted:
    """Start a service inside a notebook."""
    core, body = call.core, call.body
    notebook = named(body, "id")
    asked = body.customize_port or body.customsize_port
    port = required_whole(asked, "customizePort", least=1, most=LAST_PORT)
    started = await notebooks.start_custom(
        core.store, core.runtime, call.caller, notebook=notebook, command=body.command, port=port
    )
    said = None if started.error is None else started.error.say(Language.ZH)
    return ServiceStarted(exec_success=started.seen, error_msg=said, output=started.output)


async def query_service_url(call: Call[Nothing, IdQuery]) -> LinkShape:
    """Where that service is reached."""
    core = call.core
    notebook = named(call.query, "notebookId")
    link = await notebooks.custom_link(
        core.store, core.runtime, call.caller, notebook=notebook, keyring=core.keyring, site=core.site
    )
    return link_shape(link)


class Views:
    """The views that keep something between requests: what is free in pools, and records as text."""

    def __init__(self) -> None:
        self._availability = nodes.AvailabilityCache()
        self._rendered: Rendered[Notebook] = Rendered(notebook_record)

    def query_notebooks(self, tx: Read, call: Call[Nothing, ListQuery]) -> Raw:
        """A page of the caller's notebooks, as the text of a `NotebookPage`."""
        caller = call.caller

        def make() -> tuple[Page, NotebookPage]:
            asked = list_query(call.query)
            found = notebooks.list_stamps(tx, caller, asked)
            page = self._rendered.page(
                tx, found.rows, lambda ids: notebooks.by_ids(tx, caller, ids), facts=self._availability.within(tx)
            )
            return page, NotebookPage(total=found.total or 0, records=page.records)

        return self._rendered.answer(tx, (caller.project, call.asked), make)

    def query_detail(self, tx: Read, call: Call[Nothing, IdQuery]) -> NotebookShape:
        """One notebook."""
        found = notebooks.get(tx, call.caller, named(call.query, "notebookId"))
        return notebook_shape(found, self._availability.within(tx)[found.pool, found.resources.kind], tx.now)


OPERATIONS: Final = (
    Operation(
        name="CreateNotebook",
        method="POST",
        path="/ac/openapi/v2/notebook/actions/create",
        handler=create_notebook,
        mark=Mark.COMPANION,
        summary="A new notebook",
        body=CreateBody,
    ),
    Operation(
        name="StartNotebook",
        method="POST",
        path="/ac/openapi/v2/notebook/actions/start",
        handler=start_notebook,
        mark=Mark.COMPANION,
        summary="Start a notebook",
        body=IdBody,
    ),
    Operation(
        name="StopNotebook",
        method="POST",
        path="/ai/openapi/v2/notebook/actions/stop",
        handler=stop_notebook,
        mark=Mark.COMPANION,
        summary="Stop a notebook, and save its environment where asked for",
        body=StopBody,
    ),
    Operation(
        name="ReleaseNotebook",
        method="POST",
        path="/ai/openapi/v2/notebook/actions/release",
        handler=release_notebook,
        mark=Mark.COMPANION,
        summary="Remove a notebook for good",
        body=IdBody,
    ),
    Operation(
        name="RenameNotebook",
        method="POST",
        path="/ai/openapi/v2/notebook/name",
        handler=rename_notebook,
        mark=Mark.COMPANION,
        summary="Give a notebook another name",
        body=NameBody,
    ),
    Operation(
        name="QueryNotebookUrl",
        method="GET",
        path="/ai/openapi/v2/notebook/url",
        handler=View(query_url),
        mark=Mark.COMPANION,
        summary="Where a notebook's JupyterLab is opened",
        query=IdQuery,
    ),
    Operation(
        name="StartCustomizeService",
        method="POST",
        path="/ai/openapi/v2/notebook/customize-service/actions/start",
        handler=start_service,
        mark=Mark.COMPANION,
        summary="Start a service inside a notebook",
        body=ServiceBody,
    ),
    Operation(
        name="QueryCustomizeServiceUrl",
        method="GET",
        path="/ai/openapi/v2/notebook/customize-service/url",
        handler=query_service_url,
        mark=Mark.COMPANION,
        summary="Where the service inside a notebook is reached",
        query=IdQuery,
    ),
)


def operations() -> tuple[Operation, ...]:
    """All of them."""
    views = Views()
    return (
        Operation(
            name="QueryNotebooks",
            method="GET",
            path="/ai/openapi/v2/notebook/list",
            handler=View(views.query_notebooks, lambda _body, query: may_grow(list_query(query))),
            mark=Mark.SEED,
            summary="The caller's notebooks, a page at a time",
            query=ListQuery,
        ),
        Operation(
            name="QueryNotebookDetail",
            method="GET",
            path="/ai/openapi/v2/notebook/detail",
            handler=View(views.query_detail),
            mark=Mark.COMPANION,
            summary="One notebook",
            query=IdQuery,
        ),
        *OPERATIONS,
    )
