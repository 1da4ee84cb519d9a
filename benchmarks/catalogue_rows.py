"""Data sets of the catalogue benchmark: so many models, half of them one member's, and a tenth as many bindings.

Rows are copies of a model, a service and a binding that the rooms' own services made. Each hundredth of the models has
a vendor, an architecture, a pipeline tag and texts of its own; semantic versions and framework versions are spread over
the models apart from these and from each other.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from benchmarks import copying
from benchmarks.growth_rows import REGION
from benchmarks.processes import Place, serving
from trivium.base.caller import Caller
from trivium.base.clock import SystemClock
from trivium.base.values import Value
from trivium.resources import models, owning, services, stores, users
from trivium.resources.models import NewModel
from trivium.resources.models.table import models as models_table
from trivium.resources.services import NewService
from trivium.resources.services.table import refs as refs_table
from trivium.resources.services.table import services as services_table
from trivium.resources.stores import NewModelStore
from trivium.store import Flavour, Store, Write

PASSWORD: Final = "as long as the benchmark takes"
SIGNING_IN: Final = {"TRIVIUM_ADMIN_PASSWORD": PASSWORD}
"""The environment of a server whose administrator has that password from the first start on."""

MEMBER: Final = "half"
SHARES: Final = 100  # each has a hundredth of the models
PER_NAME: Final = 20  # models whose names begin alike
WIDE: Final = 10  # frameworks of services
SCATTER: Final = 0x9E3779B97F4A7C15  # odd, so that no two numbers become the same


class Sizes(Value, frozen=True):
    """How many rows there are."""

    models: int

    @property
    def refs(self) -> int:
        """Bindings: a tenth, besides those that come last."""
        return self.models // 10

    @property
    def services(self) -> int:
        """Services; the first two hundred are those that some model is bound to on purpose."""
        return max(2 * SHARES, self.models // 100)


class Pick(Value, frozen=True, kw_only=True):
    """A model that satisfies three conditions which have nothing to do with each other."""

    vendor: str
    version_semver: str | None
    framework_version: str


class Catalogue(Value, frozen=True, kw_only=True):
    """A data set that is there."""

    models: int
    place: Place
    picks: tuple[Pick, ...]  # the service of the same number, and a hundred more, has the model


def name_of(number: int) -> str:
    """The name of a model; twenty have the same but for its end."""
    return f"model-{number // PER_NAME:05}-{number % PER_NAME:02}"


def service_name(number: int) -> str:
    """The name of a service."""
    return f"service-{number:05}"


def catalogue_of(count: int, folder: Path, database: str | None) -> Catalogue:
    """The data set of so many models, made unless it is there."""
    place = Place(data=folder / f"catalogue-{count}", database=database)
    done = place.data / ("made-postgresql" if database else "made")
    rows = _Rows(count)
    if not done.exists():
        with serving(place, environment=SIGNING_IN):
            pass
        _make(place.url, rows)
        done.touch()
    return Catalogue(models=count, place=place, picks=tuple(map(rows.pick, rows.picked)))


class _Rows:
    """What the rows are, the same in each process."""

    def __init__(self, count: int) -> None:
        chance = random.Random(count)
        self.sizes = Sizes(count)
        numbers = range(count)
        self.share = [chance.randrange(SHARES) for _ in numbers]
        self.semver = [chance.randrange(SHARES) for _ in numbers]
        self.framework = [chance.randrange(SHARES) for _ in numbers]
        self.mine = [chance.random() < 0.5 for _ in numbers]
        self.size = list(numbers)
        chance.shuffle(self.size)
        self.last = self._largest()
        self.picked = [chance.randrange(count) for _ in range(SHARES)]
        for number in (*self.last, *self.picked):
            self.mine[number] = True  # so that the member finds what the administrator finds
        self.bound = self._bound(chance)

    def pick(self, number: int) -> Pick:
        """The three conditions that a model satisfies."""
        values = self.columns(number)
        return Pick(
            vendor=values["vendor"],
            version_semver=values["version_semver"],
            framework_version=values["framework_version"],
        )

    def columns(self, number: int) -> dict[str, Any]:
        """What a model has of its own."""
        share, semver = self.share[number], self.semver[number]
        return {
            "name": name_of(number),
            "size": self.size[number],
            "vendor": f"Vendor {share}",
            "architecture": f"Architecture{share}",
            "pipeline_tag": f"tag-{share}",
            "description": f"Description {share}",
            "introduction": f"Introduction {share}",
            "parameters": f"{share}B",
            "version_semver": f"{semver}.0.0" if semver else None,
            "framework_version": f"{self.framework[number]}.1",
        }

    def _largest(self) -> list[int]:
        """The largest model of each share."""
        found = dict.fromkeys(range(SHARES), -1)
        for number, share in enumerate(self.share):
            if found[share] < 0 or self.size[number] > self.size[found[share]]:
                found[share] = number
        return [number for number in found.values() if number >= 0]

    def _bound(self, chance: random.Random) -> list[tuple[int, int]]:
        """Model and service of each binding.

        The service of a share's number has the largest model of that share and none other of it; a hundred services
        more have the picked ones.
        """
        wanted = {(number, self.share[number]): None for number in self.last}
        wanted |= {(number, SHARES + place): None for place, number in enumerate(self.picked)}
        for _ in range(self.sizes.refs):
            number, service = chance.randrange(self.sizes.models), chance.randrange(self.sizes.services)
            if self.share[number] != service:
                wanted[number, service] = None
        return list(wanted)


def _make(url: str, rows: _Rows) -> None:
    store = Store.open(url, SystemClock(), "cli")
    try:
        member = store.write_now(_template, users.hash_of(PASSWORD))
        made = {table: store.read_now(copying.template, table) for table in (models_table, services_table, refs_table)}
        keys = {table: _Keys(row[0]) for table, row in made.items()}
        given: Mapping[Any, Iterator[dict[str, Any]]] = {
            services_table: _services(rows, keys[services_table]),
            models_table: _models(rows, keys[models_table], member),
            refs_table: _refs(rows, keys, member),
        }
        for table, changes in given.items():
            with copying.unindexed(store, table):
                copying.write(store, table, copying.copies(table, made[table], changes))
        store.write_now(copying.execute, ["ANALYZE"] if store.flavour is Flavour.POSTGRESQL else [])
    finally:
        store.close()


class _Keys:
    """Ids and keys of rows older than a first one, by their numbers."""

    def __init__(self, first: int) -> None:
        self._first = first

    def id(self, number: int, count: int) -> int:
        """The id of one of so many rows."""
        return self._first - ((count - number) << 22)

    def uuid(self, number: int) -> bytes:
        """The uuid of a row; they are scattered as random ones are."""
        return UUID(int=(number * SCATTER % (1 << 64)) << 64 | number, version=4).bytes


def _template(tx: Write, password: users.PasswordHash) -> int:
    """One model that is bound to one service, all of the administrator's. Returns the project of the member."""
    admin = users.oldest_admin(tx)
    assert admin is not None
    caller = Caller(user=admin.id, user_name=admin.name, project=admin.project, role=admin.role)
    member = users.create(tx, caller, users.NewUser(name=MEMBER, password=password), project_name=REGION)
    place = NewModelStore(name="bench", url="/bench", public=True)
    store = stores.create(tx, caller, place, roots=("/bench",)).uuid
    model = models.create(tx, caller, NewModel(name="template", install_path="template", store=store))
    asked = NewService(
        name="template",
        yaml="template: true",
        store=store,
        request_cpu=1,
        request_memory=1,
        install_path="template",
        start_command="serve",
        framework="none",
        public=True,
    )
    services.bind(tx, caller, model.uuid, service=services.create(tx, caller, asked).uuid)
    return member.project


def _services(rows: _Rows, keys: _Keys) -> Iterator[dict[str, Any]]:
    count = rows.sizes.services
    for number in range(count):
        named = {"name": service_name(number), "framework": f"Framework {number % WIDE}"}
        yield {
            "id": keys.id(number, count),
            "uuid": keys.uuid(number),
            **owning.folded_values(services_table, named),
        }


def _models(rows: _Rows, keys: _Keys, member: int) -> Iterator[dict[str, Any]]:
    count = rows.sizes.models
    for number in range(count):
        own = {"project_id": member, "audience": member} if rows.mine[number] else {}
        id = keys.id(number, count)
        yield {
            "id": id,
            "uuid": keys.uuid(number),
            "created_at": _moment(number),
            "changed_at": _moment(number),
            **own,
            **owning.folded_values(models_table, rows.columns(number)),
        }


def _refs(rows: _Rows, keys: Mapping[Any, _Keys], member: int) -> Iterator[dict[str, Any]]:
    count = len(rows.bound)
    for number, (model, service) in enumerate(rows.bound):
        own = {"project_id": member, "audience": member} if rows.mine[model] else {}
        yield {
            "id": keys[refs_table].id(number, count),
            "uuid": keys[refs_table].uuid(number),
            "model_uuid": keys[models_table].uuid(model),
            "service_uuid": keys[services_table].uuid(service),
            **own,
        }


def _moment(number: int) -> int:
    """When a model was made, in microseconds: one a second, from a day in 2024 on."""
    return 1_704_067_200_000_000 + number * 1_000_000
