"""What may be asked of services, their images and bindings, and of groups, with the relations between all of them."""

from __future__ import annotations

from typing import Final

from trivium.resources import datasets, marks, models, owning, stores
from trivium.resources.owning import Listing
from trivium.resources.services.rows import dataset_ref_of, group_of, image_of, instance_of, ref_of, service_of
from trivium.resources.services.table import (
    GROUP_TEXTS,
    INSTANCE_TEXTS,
    SERVICE_TEXTS,
    dataset_refs,
    groups,
    images,
    instances,
    refs,
    services,
)
from trivium.resources.services.types import Architecture, GroupStatus, GroupType, ServiceSource, ServiceType
from trivium.store import Relation
from trivium.store import fields as f

SERVICES: Final = f.Resource(
    "services",
    services,
    (
        f.Field("id", f.integer, services.c.id),
        f.Field("uuid", f.uuid, services.c.uuid),
        f.Field("store_uuid", f.uuid, services.c.store_uuid),
        f.Field("request_cpu", f.integer, services.c.request_cpu),
        f.Field("request_memory", f.integer, services.c.request_memory),
        f.Field("type", f.enum(ServiceType), services.c.type),
        f.Field("source", f.enum(ServiceSource), services.c.source),
        f.Field("size", f.integer, services.c.size),
        f.Field("system", f.boolean, services.c.system),
        f.Field("distributed", f.boolean, services.c.distributed),
        f.Field("architectures", f.members, services.c.architectures, folded=services.c.architectures),
        f.Field("zone_uuid", f.uuid, services.c.zone_uuid),
        f.Field("created_at", f.second, services.c.created_at),
        f.Field("changed_at", f.second, services.c.changed_at),
        *owning.texts(services, SERVICE_TEXTS),
    ),
    relations=(
        Relation("store", lambda: stores.STORES, services.c.store_uuid, stores.stores.c.uuid),
        Relation("refs", lambda: REFS, services.c.uuid, refs.c.service_uuid),
        Relation("images", lambda: IMAGES, services.c.uuid, images.c.service_uuid),
        Relation("groups", lambda: GROUPS, services.c.uuid, groups.c.service_uuid),
        *marks.relations(services.c.uuid),
    ),
    aliases={"models": "refs.model"},
    columns=owning.shown(services),
    conditions_lead=True,
    audience=services.c.audience,
)

IMAGES: Final = f.Resource(
    "service_images",
    images,
    (
        f.Field("id", f.integer, images.c.id),
        f.Field("uuid", f.uuid, images.c.uuid),
        f.Field("service_uuid", f.uuid, images.c.service_uuid),
        f.Field("architecture", f.enum(Architecture), images.c.architecture),
        f.Field("vm_image_uuid", f.uuid, images.c.vm_image_uuid),
        f.Field("created_at", f.second, images.c.created_at),
        f.Field("changed_at", f.second, images.c.changed_at),
        *owning.texts(images, ("docker_image", "gpu_vendor")),
    ),
    relations=(Relation("service", lambda: SERVICES, images.c.service_uuid, services.c.uuid),),
    columns=owning.shown(images),
    conditions_lead=True,
    audience=images.c.audience,
)

REFS: Final = f.Resource(
    "service_refs",
    refs,
    (
        f.Field("id", f.integer, refs.c.id),
        f.Field("uuid", f.uuid, refs.c.uuid),
        f.Field("model_uuid", f.uuid, refs.c.model_uuid),
        f.Field("service_uuid", f.uuid, refs.c.service_uuid),
        f.Field("is_default", f.boolean, refs.c.is_default),
        f.Field("created_at", f.second, refs.c.created_at),
        f.Field("changed_at", f.second, refs.c.changed_at),
    ),
    relations=(
        Relation("model", lambda: models.MODELS, refs.c.model_uuid, models.models.c.uuid),
        Relation("service", lambda: SERVICES, refs.c.service_uuid, services.c.uuid),
    ),
    columns=owning.shown(refs),
    conditions_lead=True,
    audience=refs.c.audience,
)

GROUPS: Final = f.Resource(
    "service_groups",
    groups,
    (
        f.Field("id", f.integer, groups.c.id),
        f.Field("uuid", f.uuid, groups.c.uuid),
        f.Field("service_uuid", f.uuid, groups.c.service_uuid),
        f.Field("model_uuid", f.uuid, groups.c.model_uuid),
        f.Field("status", f.enum(GroupStatus), groups.c.status),
        f.Field("service_type", f.enum(ServiceType), groups.c.service_type),
        f.Field("type", f.enum(GroupType), groups.c.type),
        f.Field("support_metrics", f.members, groups.c.support_metrics, folded=groups.c.support_metrics),
        f.Field("created_at", f.second, groups.c.created_at),
        f.Field("changed_at", f.second, groups.c.changed_at),
        *owning.texts(groups, GROUP_TEXTS),
    ),
    relations=(
        Relation("service", lambda: SERVICES, groups.c.service_uuid, services.c.uuid),
        Relation("model", lambda: models.MODELS, groups.c.model_uuid, models.models.c.uuid),
        Relation("instances", lambda: INSTANCES, groups.c.uuid, instances.c.group_uuid),
        Relation("dataset_refs", lambda: DATASET_REFS, groups.c.uuid, dataset_refs.c.group_uuid),
        *marks.relations(groups.c.uuid),
    ),
    aliases={"datasets": "dataset_refs.dataset"},
    columns=owning.shown(groups),
    conditions_lead=True,
    audience=groups.c.audience,
)

INSTANCES: Final = f.Resource(
    "service_instances",
    instances,
    (
        f.Field("id", f.integer, instances.c.id),
        f.Field("uuid", f.uuid, instances.c.uuid),
        f.Field("group_uuid", f.uuid, instances.c.group_uuid),
        f.Field("status", f.enum(GroupStatus), instances.c.status),
        f.Field("vm_instance_uuid", f.uuid, instances.c.vm_instance_uuid),
        f.Field("node_rank", f.integer, instances.c.node_rank),
        f.Field("cluster_id", f.integer, instances.c.cluster_id),
        f.Field("account_uuid", f.uuid, instances.c.account_uuid),
        f.Field("created_at", f.second, instances.c.created_at),
        f.Field("changed_at", f.second, instances.c.changed_at),
        *owning.texts(instances, INSTANCE_TEXTS),
    ),
    relations=(Relation("group", lambda: GROUPS, instances.c.group_uuid, groups.c.uuid),),
    columns=owning.shown(instances),
    conditions_lead=True,
    audience=instances.c.audience,
)

DATASET_REFS: Final = f.Resource(
    "service_datasets",
    dataset_refs,
    (
        f.Field("id", f.integer, dataset_refs.c.id),
        f.Field("uuid", f.uuid, dataset_refs.c.uuid),
        f.Field("group_uuid", f.uuid, dataset_refs.c.group_uuid),
        f.Field("dataset_uuid", f.uuid, dataset_refs.c.dataset_uuid),
        f.Field("created_at", f.second, dataset_refs.c.created_at),
        f.Field("changed_at", f.second, dataset_refs.c.changed_at),
    ),
    relations=(
        Relation("group", lambda: GROUPS, dataset_refs.c.group_uuid, groups.c.uuid),
        Relation("dataset", lambda: datasets.DATASETS, dataset_refs.c.dataset_uuid, datasets.datasets.c.uuid),
    ),
    columns=owning.shown(dataset_refs),
    conditions_lead=True,
    audience=dataset_refs.c.audience,
)


stores.STORES.relate(Relation("services", lambda: SERVICES, stores.stores.c.uuid, services.c.store_uuid))
models.MODELS.relate(
    Relation("refs", lambda: REFS, models.models.c.uuid, refs.c.model_uuid),
    Relation("groups", lambda: GROUPS, models.models.c.uuid, groups.c.model_uuid),
    aliases={"services": "refs.service"},
)
datasets.DATASETS.relate(
    Relation("refs", lambda: DATASET_REFS, datasets.datasets.c.uuid, dataset_refs.c.dataset_uuid),
    aliases={"groups": "refs.group"},
)

SERVICE_LISTING: Final = Listing(SERVICES, service_of)
IMAGE_LISTING: Final = Listing(IMAGES, image_of)
REF_LISTING: Final = Listing(REFS, ref_of)
GROUP_LISTING: Final = Listing(GROUPS, group_of)
INSTANCE_LISTING: Final = Listing(INSTANCES, instance_of)
DATASET_REF_LISTING: Final = Listing(DATASET_REFS, dataset_ref_of)
