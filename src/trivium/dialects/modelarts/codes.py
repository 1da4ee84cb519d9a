"""What each error is called in ModelArts: a status, a code as text, and words in English.

The codes are those of Huawei's "ModelArts API Reference", appendix "Error Codes". What is not found is 400 for
notebooks and images and 404 for the rest, as there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from msgspec import structs

from trivium.base.errors import (
    Conflict,
    Forbidden,
    Internal,
    Invalid,
    Missing,
    NotFound,
    OverQuota,
    TriviumError,
    Unauthenticated,
    Unavailable,
    Unsupported,
    WrongState,
)
from trivium.base.text import Language, say
from trivium.base.values import Value
from trivium.dialects.modelarts.errors import (
    AttributeExists,
    BadConfig,
    BadContentType,
    BadContinue,
    BadDescription,
    BadExport,
    BadLocation,
    BadNodePoolName,
    BadNotebookName,
    BadSelector,
    BadVolume,
    BodyTooLarge,
    Exclusive,
    LeaseMissing,
    LeaseOutOfBounds,
    NoSuchInterface,
    NotServed,
    NotSortable,
    ProjectMismatch,
    UnknownFlavor,
    UnknownWorkspace,
    VersionOutdated,
    WorkPathIsBucket,
    WorkPathTooLong,
    WorkPathWithin,
    WrongMethod,
)
from trivium.resources.samples import NotTaken


class Told(Value, frozen=True):
    """What an error is in ModelArts. Without words of the vendor's, the catalogue's sentence is told."""

    status: int
    code: str
    words: str = ""


GATEWAY: Final = "Incorrect IAM authentication information: "
UNPUBLISHED: Final = "The API does not exist or has not been published in the environment"
BUSY: Final = "ModelArts.6101"
BAD: Final = "ModelArts.50004000"
BAD_REQUEST: Final = "Bad request. "
NODE_POOL: Final = Told(status=400, code=BAD, words="Bad request. invalid nodepool name")
OF_POOLS: Final = re.compile(
    r"/v[12]/[^/]+/(pools|networks|resourceflavors|quotas|os-user-config|events|orders|nodes|statistics)(/.*)?"
)
"""Paths of pools and networks, whose codes have eight digits."""

OF_MODELS: Final = re.compile(r"/v1/[^/]+/models(/.*)?")
"""Paths of models, whose codes name the parameter."""

OF_DATASETS: Final = re.compile(r"/v2/[^/]+/datasets(/.*)?")
"""Paths of datasets, whose parameters have one code."""

BY_KIND: Final[tuple[tuple[type[TriviumError], Told], ...]] = (
    (Missing, Told(status=400, code="ModelArts.6335")),
    (Invalid, Told(status=400, code="ModelArts.0104")),
    (Unauthenticated, Told(status=401, code="APIGW.0301")),
    (Forbidden, Told(status=403, code="ModelArts.0108")),
    (NotFound, Told(status=404, code="ModelArts.4204")),
    (Conflict, Told(status=400, code="ModelArts.0101")),
    (WrongState, Told(status=400, code="ModelArts.6357")),
    (OverQuota, Told(status=400, code="ModelArts.0113")),
    (Unsupported, Told(status=400, code="ModelArts.0101")),
    (Unavailable, Told(status=503, code=BUSY)),
    (Internal, Told(status=500, code="ModelArts.0010", words="Internal error.")),
)
"""What the kinds of errors are called."""

FINER: Final[Mapping[str, Told]] = {
    "invalid.malformed": Told(status=400, code="ModelArts.6400"),
    "invalid.type": Told(status=400, code="ModelArts.6332"),
    "invalid.bounds": Told(status=400, code="ModelArts.6336"),
    "notebook.bad_name": Told(status=400, code="ModelArts.6334"),
    "notebook.not_found": Told(status=400, code="ModelArts.6309", words="The instance does not exist."),
    "notebook.not_stopped": Told(status=400, code="ModelArts.6347"),
    "notebook.free_taken": Told(status=400, code="ModelArts.6302"),
    "notebook.volume_shrinks": Told(status=400, code="ModelArts.6331"),
    "notebook.attachment_not_found": Told(status=400, code="ModelArts.6404"),
    "notebook.not_running": Told(status=400, code="ModelArts.6327", words="The instance is not in running."),
    "notebook.no_flavor": Told(status=400, code="ModelArts.6323"),
    "node.no_capacity": Told(status=400, code="ModelArts.6329"),
    "image.not_found": Told(status=400, code="ModelArts.6797", words="Specified image cannot be found."),
    "image.out_of_reach": Told(status=400, code="ModelArts.6797"),
    "image.group_not_found": Told(status=400, code="ModelArts.6797"),
    "image.exists": Told(status=400, code="ModelArts.6737"),
    "workspace.not_found": Told(status=400, code="ModelArts.7005"),
    "workspace.in_use": Told(status=400, code="ModelArts.0101"),
    "workspace.is_default": Told(status=400, code="ModelArts.3566", words="Forbidden to modify the default workspace."),
    "pool.not_found": Told(status=404, code="ModelArts.50015001", words="pool not found"),
    "pool.exists": Told(status=409, code="ModelArts.50015000", words="Pool already exists."),
    "network.not_found": Told(status=404, code="ModelArts.50025001", words="Network not exist."),
    "network.in_use": Told(status=409, code="ModelArts.50025002"),
    "node_pool.not_found": NODE_POOL,
    "model.not_found": Told(status=404, code="ModelArts.3001"),
    "model.exists": Told(status=409, code="ModelArts.3002"),
    "model.in_use": Told(status=409, code="ModelArts.3009"),
    "model_store.none_has_it": Told(status=400, code="ModelArts.3017"),
    "dataset.not_found": Told(status=400, code="ModelArts.4352", words="Dataset does not exist."),
    "dataset.exists": Told(status=400, code="ModelArts.4351"),
    "dataset.bad_place": Told(status=400, code="ModelArts.4374"),
    "dataset.no_work_path": Told(status=400, code="ModelArts.4374"),
    "dataset.no_such_bucket": Told(status=400, code="ModelArts.4312"),
    "sample.not_found": Told(status=400, code="ModelArts.4420"),
    "sample.no_file": Told(status=400, code="ModelArts.4420"),
    "sample.file_there": Told(status=400, code="ModelArts.4422"),
    "sample.not_taken": Told(status=400, code="ModelArts.4421"),
    "sample.too_large": Told(status=400, code="ModelArts.4419"),
    "sample.too_many_pictures": Told(status=429, code="ModelArts.4395"),
    "range.outside": Told(status=416, code="ModelArts.4396"),
    "file.changed": Told(status=412, code="ModelArts.4396"),
    "sample_label.not_found": Told(status=400, code="ModelArts.4410"),
    "sample_label.exists": Told(status=400, code="ModelArts.4411"),
    "sample_label.shortcut_taken": Told(status=400, code="ModelArts.4412"),
    "sample_label.leaving": Told(status=400, code="ModelArts.4344"),
    "transfer.running": Told(status=400, code="ModelArts.4356"),
    "transfer.not_importable": Told(status=501, code="ModelArts.4383"),
    "transfer.not_syncable": Told(status=501, code="ModelArts.4383"),
    "dataset.publishing": Told(status=400, code="ModelArts.4343"),
    "transfer.not_found": Told(status=400, code="ModelArts.4359"),
    "transfer.not_exportable": Told(status=400, code="ModelArts.4384"),
    "version.not_found": Told(status=400, code="ModelArts.4353"),
    "version.unreadable": Told(status=400, code="ModelArts.4353"),
    "version.exists": Told(status=400, code="ModelArts.4371"),
    VersionOutdated.code: Told(status=400, code="ModelArts.4353"),
    AttributeExists.code: Told(status=400, code="ModelArts.4428"),
    BadExport.code: Told(status=400, code="ModelArts.4384"),
    WorkPathTooLong.code: Told(status=400, code="ModelArts.4350"),
    WorkPathIsBucket.code: Told(status=400, code="ModelArts.4374"),
    WorkPathWithin.code: Told(status=400, code="ModelArts.4374"),
    "user.too_many_logins": Told(status=429, code="APIGW.0308"),
    "user.wrong_password": Told(status=401, code="APIGW.0301", words="The username or password is wrong."),
    UnknownFlavor.code: Told(status=400, code="ModelArts.6323"),
    BadDescription.code: Told(status=400, code="ModelArts.6334"),
    BadNotebookName.code: Told(status=400, code="ModelArts.6334"),
    LeaseOutOfBounds.code: Told(status=400, code="ModelArts.6349"),
    LeaseMissing.code: Told(status=400, code="ModelArts.6348"),
    BadVolume.code: Told(status=400, code="ModelArts.6331"),
    ProjectMismatch.code: Told(
        status=403, code="ModelArts.0210", words="The project id in the request URL does not match the token."
    ),
    NoSuchInterface.code: Told(status=404, code="APIGW.0101", words=UNPUBLISHED),
    NotServed.code: Told(status=404, code="APIGW.0101"),
    WrongMethod.code: Told(status=405, code="ModelArts.4204"),
    BodyTooLarge.code: Told(status=413, code="ModelArts.4104"),
    NotSortable.code: Told(status=400, code="ModelArts.6303", words="The field does not support sorting."),
    UnknownWorkspace.code: Told(status=400, code="ModelArts.0102", words="The workspace does not exist."),
    Exclusive.code: Told(status=400, code="ModelArts.0107"),
    BadConfig.code: Told(status=400, code="ModelArts.3015"),
    BadLocation.code: Told(status=400, code="ModelArts.3017"),
    BadContinue.code: Told(status=400, code=BAD),
    BadSelector.code: Told(status=400, code=BAD),
    BadContentType.code: Told(status=400, code="ModelArts.50004100", words="Content type not supported"),
    BadNodePoolName.code: NODE_POOL,
}
"""Where ModelArts is finer than the kind of an error."""

BY_STATUS: Final[Mapping[tuple[str, str], Told]] = {
    ("notebook.not_startable", "running"): Told(
        status=400, code="ModelArts.6305", words="The instance is already running."
    ),
    ("notebook.not_startable", "starting"): Told(status=400, code="ModelArts.6306", words="The instance is starting."),
    ("notebook.not_startable", "creating"): Told(status=400, code="ModelArts.6306", words="The instance is starting."),
    ("notebook.not_stoppable", "stopped"): Told(
        status=400, code="ModelArts.6307", words="The instance is already stopped."
    ),
    ("notebook.not_stoppable", "failed"): Told(
        status=400, code="ModelArts.6307", words="The instance is already stopped."
    ),
    ("notebook.not_stoppable", "stopping"): Told(status=400, code="ModelArts.6308", words="The instance is stopping."),
}
"""Where it is finer still, by the status that a thing has."""


SAME_EVERYWHERE: Final = frozenset(
    {
        *("pool.not_found", "pool.exists", "network.not_found", "network.in_use", "node_pool.not_found"),
        *(BadContentType.code, BadNodePoolName.code, BodyTooLarge.code),
    }
)
"""What is finer for pools and networks, too."""

FAULT_OF_POOLS: Final = Told(status=500, code="ModelArts.50005000", words="internal error")
"""What a fault of ours is there."""

MISSING_OF_MODELS: Final = Told(status=400, code="ModelArts.3036")
INVALID_OF_MODELS: Final = Told(status=400, code="ModelArts.3037")
"""What is wrong with a parameter there."""

SAME_FOR_MODELS: Final = frozenset(
    {
        *("invalid.malformed", "model_store.none_has_it", UnknownWorkspace.code),
        *(Exclusive.code, BadConfig.code, BadLocation.code),
    }
)
"""What is wrong with a request about models, and has a code of its own."""

INVALID_OF_DATASETS: Final = Told(status=400, code="ModelArts.4396")
"""What is wrong with a parameter of datasets, or missing."""

NOWHERE_FOR_DATASETS: Final = Told(status=400, code="ModelArts.4312")
"""A place that is in no store."""

SAME_FOR_DATASETS: Final = frozenset(
    {
        *("invalid.malformed", "dataset.bad_place", "dataset.no_work_path", "dataset.no_such_bucket"),
        "transfer.not_importable",
        *("transfer.not_syncable", "transfer.not_exportable", "transfer.target_refused", "range.outside"),
        *(UnknownWorkspace.code, VersionOutdated.code, BadExport.code),
        *(WorkPathTooLong.code, WorkPathIsBucket.code, WorkPathWithin.code),
    }
)
"""What is wrong with a request about datasets, and has a code of its own."""

BAD_FOR_POOLS: Final = (Invalid, Conflict, WrongState, OverQuota, Unsupported)
"""Kinds that are one bad request for pools and networks; the words say which."""


PLACES_OF_MODELS: Final = frozenset({"image.not_found", "image.not_ready"})
"""What is wrong with the place of a model, although it is not its files."""


def told_of(error: TriviumError, path: str = "") -> Told:
    """What an error is, with its words, as the answer to a request for that path."""
    if OF_POOLS.fullmatch(path) and error.code not in SAME_EVERYWHERE:
        if isinstance(error, BAD_FOR_POOLS):
            return Told(status=400, code=BAD, words=BAD_REQUEST + _words(error).removeprefix(BAD_REQUEST))
        if isinstance(error, Internal):
            return FAULT_OF_POOLS
    if OF_MODELS.fullmatch(path) and (own := _of_models(error)) is not None:
        return own
    if OF_DATASETS.fullmatch(path) and (own := _of_datasets(error)) is not None:
        return own
    found = BY_STATUS.get((error.code, str(error.details.get("status", "")))) or FINER.get(error.code)
    found = found or next(
        (told for kind, told in BY_KIND if isinstance(error, kind)), Told(status=500, code="ModelArts.0010")
    )
    return found if found.words else Told(status=found.status, code=found.code, words=_words(error))


def _of_models(error: TriviumError) -> Told | None:
    """What an error is called for models; None where it is what it is for everything."""
    if error.code in PLACES_OF_MODELS:
        return Told(status=400, code="ModelArts.3017", words=_words(error))
    if isinstance(error, Missing):
        return structs.replace(MISSING_OF_MODELS, words=f"parameter ({error.field}) is required.")
    if isinstance(error, Invalid) and error.code not in SAME_FOR_MODELS:
        words = f"Parameter ({error.field}) is invalid. {_words(error)}"
        return structs.replace(INVALID_OF_MODELS, words=words)
    return None


def _of_datasets(error: TriviumError) -> Told | None:
    """The same for datasets."""
    if error.code == "model_store.none_has_it":
        return structs.replace(NOWHERE_FOR_DATASETS, words=_words(error))
    if isinstance(error, Missing):
        return structs.replace(INVALID_OF_DATASETS, words=f"Parameter ({error.field}) is required.")
    if isinstance(error, Invalid) and error.code not in SAME_FOR_DATASETS:
        return structs.replace(INVALID_OF_DATASETS, words=f"Parameter ({error.field}) is invalid. {_words(error)}")
    return None


def _words(error: TriviumError) -> str:
    if isinstance(error, NotTaken) and error.reason is not None:
        return error.reason.say(Language.EN)
    said = say(error.code, Language.EN, **error.details)
    if said == error.code:
        kind = next((kind for kind, _ in BY_KIND if isinstance(error, kind)), Internal)
        said = say(kind.code, Language.EN, **error.details)
    if isinstance(error, Unauthenticated):
        return GATEWAY + said
    if isinstance(error, Invalid) and error.field not in said:
        return f"{error.field}: {said}"
    if type(error) is Invalid and error.message:  # it has no words of its own in the catalogue
        return f"{said.removesuffix('.')}: {error.message.removesuffix('.')}."
    return said
