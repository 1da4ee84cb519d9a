"""Images: the environments that notebooks are made of, the operator's own and those that users saved."""

from trivium.resources.images.errors import EnvironmentRefused, ImageChanged, ImageExists, ImageNotReady, NoSuchImage
from trivium.resources.images.groups import GroupQuery, ImageGroup, list_groups
from trivium.resources.images.holdings import ImageHoldings
from trivium.resources.images.layers import LayerUse, uses_of
from trivium.resources.images.service import (
    add,
    adopt,
    by_path,
    by_uuid,
    count_clone,
    everywhere,
    fingerprints_of,
    finish_save,
    forget_fingerprint,
    forget_host,
    get,
    get_any,
    image_path,
    list_images,
    note_fingerprint,
    relocate,
    remove,
    split_version,
    start_save,
)
from trivium.resources.images.table import IMAGES
from trivium.resources.images.types import KINDS, Image, ImageScope, ImageStatus, SaveAs, Visibility
from trivium.resources.images.verify import learn, verify

__all__ = [
    "IMAGES",
    "KINDS",
    "EnvironmentRefused",
    "GroupQuery",
    "Image",
    "ImageChanged",
    "ImageExists",
    "ImageGroup",
    "ImageHoldings",
    "ImageNotReady",
    "ImageScope",
    "ImageStatus",
    "LayerUse",
    "NoSuchImage",
    "SaveAs",
    "Visibility",
    "add",
    "adopt",
    "by_path",
    "by_uuid",
    "count_clone",
    "everywhere",
    "fingerprints_of",
    "finish_save",
    "forget_fingerprint",
    "forget_host",
    "get",
    "get_any",
    "image_path",
    "learn",
    "list_groups",
    "list_images",
    "note_fingerprint",
    "relocate",
    "remove",
    "split_version",
    "start_save",
    "uses_of",
    "verify",
]
