"""What `trivium dataset stop` does: it ends the import or sync of a dataset where that is."""

from __future__ import annotations

from trivium.resources import transfers
from trivium.resources.datasets import Dataset
from trivium.resources.transfers import NoSuchTransfer, SampleImport
from trivium.server.admin import showing_datasets
from trivium.server.admin.opening import Opened
from trivium.store import Write


def stop(site: Opened, named: str) -> tuple[Dataset, SampleImport]:
    """The dataset, and what was stopped. `NoSuchDataset`, and `NoSuchTransfer` where nothing goes on."""
    return site.store.write_now(_stop, site, named)


def _stop(tx: Write, site: Opened, named: str) -> tuple[Dataset, SampleImport]:
    found = showing_datasets.one_of(tx, site, named)
    going = transfers.running(tx, found)
    if not going:
        message = f"nothing is being imported into the dataset {found.name}, and it is not being synced"
        raise NoSuchTransfer(message)
    return found, transfers.stop_import(tx, site.caller, found.uuid, uuid=going[0].uuid)
