"""What `trivium dataset export` does: begins an export, and follows it; where there is no server, it writes itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from msgspec import structs

from trivium.resources import transfers
from trivium.resources.datasets import BadPlace, Dataset
from trivium.resources.hosts import Tenure
from trivium.resources.transfers import Chosen, Form, NewExport, SampleExport, SampleExportWorker
from trivium.server.admin import showing_datasets
from trivium.server.admin.opening import Opened
from trivium.server.admin.output import Row, printable
from trivium.server.admin.progress import progress
from trivium.server.compose import sinks_of
from trivium.server.host.directory import host_of
from trivium.server.host.solo import Solo
from trivium.store import Write

WHOLE: Final = 100  # per cent
CHOSEN: Final = {"all": Chosen.ALL, "labelled": Chosen.LABELLED, "bare": Chosen.BARE}
"""Which samples, as the command line has it."""


def begin(
    site: Opened, named: str, place: Path, *, chosen: str, copies: bool, flat: bool
) -> tuple[Dataset, SampleExport]:
    """The dataset, and the export of it into a directory. Raises `NoSuchDataset`, `BadPlace`, `NotExportable`."""
    roots = site.settings.dataset_roots
    if not any(place.is_relative_to(root) and place != root for root in roots):
        message = f"{place} is in no directory that is exported to ({', '.join(map(str, roots))})"
        raise BadPlace("PATH", message, place=str(place))
    new = NewExport(
        path=str(place),
        manifest=f"{place.name}.manifest",
        chosen=CHOSEN[chosen],
        form=Form(copies=copies, flat=flat, beside=copies),
        settings={"path": str(place)},
    )
    return site.store.write_now(_begin, site, named, new=new)


async def follow(site: Opened, of: Dataset, begun: SampleExport) -> SampleExport:
    """Show how far an export is until it is over, and do it where no server does; the export as it is then."""
    now = begun
    with progress(printable(of.name)) as tell:

        async def is_over() -> bool:
            nonlocal now
            now = await site.store.read(transfers.get_export, of, begun.uuid)
            dealt = now.written + now.refused
            tell(WHOLE * dealt // now.total if now.total > dealt else WHOLE)
            return now.finished_at is not None

        sinks = sinks_of(site.settings)

        async def write(tenure: Tenure) -> None:
            await SampleExportWorker(site.store, sinks, tenure).run()

        await Solo(site.store, write, is_over=is_over).work_or_wait(site.settings.data)
    return now


def row_of(of: Dataset, one: SampleExport) -> Row:
    """The export as it is printed."""
    return {
        "dataset": of.name,
        "status": one.status.value,
        "total": one.total,
        "written": one.written,
        "refused": one.refused,
        "manifest": f"{one.asked.path}/{one.asked.manifest}",
        "seconds": round(((one.finished_at or one.changed_at) - one.created_at).total_seconds(), 3),
    }


def _begin(tx: Write, site: Opened, named: str, *, new: NewExport) -> tuple[Dataset, SampleExport]:
    of = showing_datasets.one_of(tx, site, named)
    # Places of other tongues than this one's are no paths: what was imported from there is laid out flat.
    called = of.url if of.url.startswith("/") else ""
    asked = structs.replace(new, form=structs.replace(new.form, base=os.fsencode(called), called=called))
    begun = transfers.begin_export(tx, site.caller, of.uuid, new=asked, host=host_of(site.settings.data))
    return of, begun
