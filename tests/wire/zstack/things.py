"""What the catalogue of a case has in it before: centres, models, services, bindings, datasets, groups and tags."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID, uuid4

from msgspec import structs
from sqlalchemy import insert

from tests.builders import HOST
from trivium.base.caller import Caller, Role
from trivium.base.reasons import Reason
from trivium.base.text import fold
from trivium.resources import datasets, marks, models, services, stores
from trivium.resources.datasets import NewDataset
from trivium.resources.marks import NewMarks
from trivium.resources.models import Facts, MemoryFigures, NewModel, Shape, TensorTotal, reading
from trivium.resources.services import Architecture, NewImage, NewService
from trivium.resources.stores import NewModelStore
from trivium.store import Store, Write

ROOT: Final = "/srv/models"
FACTS: Final = Facts(
    size=16_060_522_496,
    files=5,
    checksum="0123456789abcdef" * 4,
    formats=("safetensors",),
    weights=(TensorTotal(dtype="BF16", parameters=8_030_261_248, size=16_060_522_496),),
    weights_size=16_060_522_496,
    shape=Shape(layers=32, heads=32, cached=2048, context=8192, generates=True),
    architecture="LlamaForCausalLM",
    pipeline_tag="text-generation",
    framework_version="Transformers 4.51.0",
    vendor="meta-llama",
    version="3.1",
)
FIGURES: Final = MemoryFigures(minimum=18 << 30, recommended=26 << 30, cards=(1, 2))
KINDS: Final = ("group", "bound", "tag", "center", "model", "service", "dataset", "fresh")


def put(store: Store, caller: Caller, told: dict[str, Any], *, names: dict[str, Any]) -> bool:
    """Carry out a step that is about the catalogue; False for any other."""
    kind = next((kind for kind in KINDS if kind in told), None)
    if kind is None:
        return False
    made = store.write_now(_MAKERS[kind], caller, told, names=names)
    if isinstance(made, UUID):
        names[f"{told[kind]}.uuid"] = made.hex
    return True


def finish_imports(store: Store, *, fault: str | None = None) -> None:
    """Let every import that waits end: with what files say, or refused for a fault."""
    for id in store.read_now(reading.due, HOST, most=100):
        if fault is None:
            store.write_now(models.finish_import, id, facts=FACTS, figures=FIGURES)
        else:
            reason = Reason(code=f"model.artifact.{fault}", details={"file": "config.json"})
            store.write_now(models.refuse_import, id, reason)


def _uuid(names: dict[str, Any], label: str) -> UUID:
    return UUID(hex=names[f"{label}.uuid"])


def _fresh(_tx: Write, _caller: Caller, _told: dict[str, Any], *, names: dict[str, Any]) -> UUID:
    """A uuid of nothing yet."""
    del names
    return uuid4()


def _center(tx: Write, caller: Caller, told: dict[str, Any], *, names: dict[str, Any]) -> UUID:
    del names
    new = NewModelStore(
        name=told["center"], url=told.get("url", f"{ROOT}/{told['center']}"), public=told.get("public", False)
    )
    maker = structs.replace(caller, role=Role.ADMIN)  # for other cases' people have centres there, too
    made = stores.create(tx, maker, new, roots=(ROOT,), reachable=True, tags=NewMarks(user=tuple(told.get("tags", ()))))
    return made.uuid


def _model(tx: Write, caller: Caller, told: dict[str, Any], *, names: dict[str, Any]) -> UUID:
    label = told["model"]
    new = NewModel(
        name=told.get("name", label),
        install_path=told.get("path", label),
        store=_uuid(names, told.get("in", "c")),
        public=told.get("public", False),
        size=told.get("size"),
        version=told.get("version"),
    )
    made = models.create(tx, caller, new, tags=NewMarks(user=tuple(told.get("tags", ()))))
    if told.get("read"):
        going = models.begin_import(tx, caller, made.uuid, host=HOST)
        models.finish_import(tx, going.id, facts=FACTS, figures=FIGURES)
    if told.get("being read"):
        models.begin_import(tx, caller, made.uuid, host=HOST)
    return made.uuid


def _service(tx: Write, caller: Caller, told: dict[str, Any], *, names: dict[str, Any]) -> UUID:
    new = NewService(
        name=told["service"],
        yaml="run: me",
        store=_uuid(names, told.get("in", "c")),
        request_cpu=2,
        request_memory=1 << 30,
        install_path="serving",
        start_command="serve",
        public=told.get("public", False),
        framework=told.get("framework"),
        images=(NewImage(architecture=Architecture.X86_64, docker_image="vllm/vllm-openai:v0.8"),),
    )
    return services.create(tx, caller, new).uuid


def _dataset(tx: Write, caller: Caller, told: dict[str, Any], *, names: dict[str, Any]) -> UUID:
    new = NewDataset(
        name=told["dataset"],
        url="file:///srv/data/faq.jsonl",
        store=_uuid(names, told.get("in", "c")),
        public=told.get("public", False),
    )
    return datasets.create(tx, caller, new).uuid


def _tag(tx: Write, caller: Caller, told: dict[str, Any], *, names: dict[str, Any]) -> UUID:
    thing = models.markable(tx, caller, _uuid(names, told["on"]))
    return marks.create(tx, caller, thing, told["text"]).uuid


def _bound(tx: Write, caller: Caller, told: dict[str, Any], *, names: dict[str, Any]) -> None:
    model, service = _uuid(names, told["bound"]), _uuid(names, told["to"])
    ref = services.bind(tx, caller, model, service=service)
    names[f"{told.get('as', 'ref')}.uuid"] = ref.uuid.hex
    if told.get("default"):
        services.set_default(tx, caller, model, service=service)


def _group(tx: Write, caller: Caller, told: dict[str, Any], *, names: dict[str, Any]) -> UUID:
    """A group with one instance. No service makes one yet."""
    uuid, instance = uuid4(), uuid4()
    own = {
        "project_id": caller.project,
        "audience": 0 if told.get("public") else caller.project,
        "created_at": tx.now,
        "changed_at": tx.now,
    }
    name = told["group"]
    wanted = {label: _uuid(names, told[label]) for label in ("service", "model") if label in told}
    row = {"id": tx.ids.next(), "uuid": uuid, "name": name, "name_folded": fold(name), "status": "running", **own}
    kept = {f"{label}_uuid": found for label, found in wanted.items()}
    tx.run(insert(services.groups).values(type="container", service_type="endpoint", **row, **kept))
    row = {"id": tx.ids.next(), "uuid": instance, "group_uuid": uuid, "status": "running", **own}
    tx.run(insert(services.instances).values(url="http://10.0.0.9:3000", url_folded="http://10.0.0.9:3000", **row))
    names[f"{name}.instance"] = instance.hex
    if "dataset" in told:
        ref = uuid4()
        row = {"id": tx.ids.next(), "uuid": ref, "group_uuid": uuid, "dataset_uuid": _uuid(names, told["dataset"])}
        tx.run(insert(services.dataset_refs).values(**row, **own))
        names[f"{name}.ref"] = ref.hex
    return uuid


_MAKERS: Final[dict[str, Any]] = {
    "center": _center,
    "model": _model,
    "service": _service,
    "dataset": _dataset,
    "group": _group,
    "tag": _tag,
    "bound": _bound,
    "fresh": _fresh,
}
