"""IAM, as far as ModelArts' clients need it: tokens, and which projects a caller has.

Shapes as in Huawei's "Identity and Access Management API Reference".
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Final, TypeAlias

from trivium.base.caller import Caller
from trivium.base.errors import Missing, TriviumError
from trivium.base.ids import uuid_of
from trivium.dialects.modelarts.auth import SOURCE, TOKEN_MARK
from trivium.dialects.modelarts.errors import ScopeRefused
from trivium.dialects.modelarts.spelling import rfc3339
from trivium.dialects.operation import Call, Mark, Nothing, Operation, Read, View, Wire, WithHeaders
from trivium.resources import projects, users
from trivium.resources.projects import Domain, Project
from trivium.resources.users import AccountFrozen, Session, SessionKind, WrongPassword

SUBJECT: Final = "X-Subject-Token"
PASSWORD: Final = "password"  # noqa: S105 - the name of a method


class Named(Wire, frozen=True, kw_only=True):
    """A domain or project, by its name or id."""

    id: str | None = None
    name: str | None = None


class ScopedProject(Named, frozen=True, kw_only=True):
    """A project, perhaps with the domain that it is in."""

    domain: Named | None = None


class UserBody(Wire, frozen=True, kw_only=True):
    """Who wants a token."""

    name: str
    password: str
    domain: Named | None = None


class PasswordBody(Wire, frozen=True, kw_only=True):
    """A name and a password."""

    user: UserBody


class IdentityBody(Wire, frozen=True, kw_only=True):
    """How somebody says who they are."""

    methods: tuple[str, ...]
    password: PasswordBody | None = None


class ScopeBody(Wire, frozen=True, kw_only=True):
    """What a token is for."""

    project: ScopedProject | None = None
    domain: Named | None = None


class AuthBody(Wire, frozen=True, kw_only=True):
    """Identity and scope."""

    identity: IdentityBody
    scope: ScopeBody | None = None


class TokenBody(Wire, frozen=True, kw_only=True):
    """What a token is asked for with."""

    auth: AuthBody


class DomainShape(Wire, frozen=True, kw_only=True):
    """The domain that something belongs to."""

    id: str
    name: str


class TokenUser(Wire, frozen=True, kw_only=True):
    """Whose token it is."""

    id: str
    name: str
    domain: DomainShape
    password_expires_at: str = ""


class TokenProject(Wire, frozen=True, kw_only=True):
    """The project that a token is for."""

    id: str
    name: str
    domain: DomainShape


class RoleShape(Wire, frozen=True, kw_only=True):
    """A role that the user has in the project."""

    id: str
    name: str


class TokenShape(Wire, frozen=True, kw_only=True):
    """What is told of a token; the token itself stands in a header."""

    methods: list[str]
    expires_at: str
    issued_at: str
    user: TokenUser
    project: TokenProject
    roles: list[RoleShape]
    catalog: list[str]


class TokenAnswer(Wire, frozen=True, kw_only=True):
    """The same, as it goes out."""

    token: TokenShape


class Links(Wire, frozen=True, kw_only=True):
    """Where a list and its neighbours are; there is one page only."""

    self: str
    previous: str | None = None
    next: str | None = None


class SelfLink(Wire, frozen=True, kw_only=True):
    """Where something is."""

    self: str


class ProjectShape(Wire, frozen=True, kw_only=True):
    """A project."""

    id: str
    name: str
    domain_id: str
    parent_id: str
    links: SelfLink
    enabled: bool
    is_domain: bool = False
    description: str = ""


class ProjectsAnswer(Wire, frozen=True, kw_only=True):
    """The caller's projects."""

    projects: list[ProjectShape]
    links: Links


class AuthDomainShape(Wire, frozen=True, kw_only=True):
    """A domain that the caller is in."""

    id: str
    name: str
    links: SelfLink
    enabled: bool


class DomainsAnswer(Wire, frozen=True, kw_only=True):
    """The caller's domains."""

    domains: list[AuthDomainShape]
    links: Links


class CatalogAnswer(Wire, frozen=True, kw_only=True):
    """The services of the site; clients ask, and need none of them to be told."""

    catalog: list[str]


class ProjectsQuery(Wire, frozen=True, kw_only=True):
    """Which projects."""

    name: str | None = None
    domain_id: str | None = None


Asking: TypeAlias = "Call[TokenBody, Nothing]"
Bare: TypeAlias = "Call[Nothing, Nothing]"


async def log_in(call: Asking, lifetime: timedelta) -> WithHeaders:
    """A token for who knows a password.

    Raises `WrongPassword` whatever is wrong with name, password or domain, `UserDisabled` and `AccountFrozen` only to
    who knows the password, and `ScopeRefused`.
    """
    asked = call.body.auth
    if PASSWORD not in asked.identity.methods or asked.identity.password is None:
        raise Missing("auth.identity.password")
    user = asked.identity.password.user
    caller = await _known(call, user)
    if caller.frozen:
        raise AccountFrozen
    caller = await call.core.store.read(_scoped, caller, asked.scope)
    token = TOKEN_MARK + secrets.token_urlsafe(48)
    session = await call.core.store.write(
        users.open_session, caller, SessionKind.MODELARTS, lifetime=lifetime, token=token
    )
    shape = await call.core.store.read(_token_shape, caller, session)
    return WithHeaders(result=TokenAnswer(token=shape), headers=((SUBJECT, token),))


def list_projects(tx: Read, call: Call[Nothing, ProjectsQuery]) -> ProjectsAnswer:
    """The caller's projects.

    A look-up by name must find one: where the name is that of the project that the caller's key or token is for, it is
    that one alone, whatever projects of others they may use besides.
    """
    asked, domain = call.query, projects.get_domain(tx)
    mine = [project for project, _ in users.projects_of(tx, call.caller.user)]
    if asked.domain_id and asked.domain_id != domain.uuid.hex:
        mine = []
    if asked.name:
        mine = [project for project in mine if project.name == asked.name]
        mine = [project for project in mine if project.id == call.caller.project] or mine
    base = f"{call.request.base_url}/v3/projects"
    return ProjectsAnswer(projects=[_project(one, domain, base) for one in mine], links=Links(self=base))


def list_domains(tx: Read, call: Bare) -> DomainsAnswer:
    """The domain of the caller: there is one."""
    domain, base = projects.get_domain(tx), call.request.base_url
    link = SelfLink(self=f"{base}/v3/domains/{domain.uuid.hex}")
    found = AuthDomainShape(id=domain.uuid.hex, name=domain.name, enabled=domain.enabled, links=link)
    return DomainsAnswer(domains=[found], links=Links(self=f"{base}/v3/auth/domains"))


def show_catalog(_tx: Read, _call: Bare) -> CatalogAnswer:
    """The services that a client may look for beside this one: none."""
    return CatalogAnswer(catalog=[])


def operations(lifetime: timedelta) -> tuple[Operation, ...]:
    """The operations; tokens live so long."""

    async def create_token(call: Asking) -> WithHeaders:
        return await log_in(call, lifetime)

    return (
        Operation(
            name="KeystoneCreateUserTokenByPassword",
            method="POST",
            path="/v3/auth/tokens",
            handler=create_token,
            mark=Mark.COMPANION,
            summary="A token, for who knows a name and a password",
            body=TokenBody,
            public=True,
            ok=201,
        ),
        Operation(
            name="KeystoneListProjects",
            method="GET",
            path="/v3/projects",
            handler=View(look=list_projects),
            mark=Mark.COMPANION,
            summary="The caller's projects; a client finds the id of its region's here",
            query=ProjectsQuery,
        ),
        Operation(
            name="KeystoneListAuthDomains",
            method="GET",
            path="/v3/auth/domains",
            handler=View(look=list_domains),
            mark=Mark.COMPANION,
            summary="The caller's domain",
        ),
        Operation(
            name="KeystoneShowCatalog",
            method="GET",
            path="/v3/auth/catalog",
            handler=View(look=show_catalog),
            mark=Mark.COMPANION,
            summary="The services of the site",
        ),
    )


async def _known(call: Asking, user: UserBody) -> Caller:
    """Who knows the password. Checking takes a while on purpose."""
    domain = await call.core.store.read(projects.get_domain)
    login = await call.core.store.read(users.login_of, user.name, request=call.request.id, source=SOURCE)
    try:
        digest = users.digest_of(user.password)
    except TriviumError as error:
        raise WrongPassword from error
    caller = await call.core.passwords.check(login, digest, address=call.request.peer)
    if user.domain is not None and not _is_meant(user.domain, domain):
        raise WrongPassword
    return caller


def _is_meant(named: Named, domain: Domain) -> bool:
    return named.name in (None, domain.name) and named.id in (None, domain.uuid.hex)


def _scoped(tx: Read, caller: Caller, scope: ScopeBody | None) -> Caller:
    """The caller in the project that a token is for; their default one unless another is named."""
    if scope is not None and scope.domain is not None and not _is_meant(scope.domain, projects.get_domain(tx)):
        raise ScopeRefused
    wanted = None if scope is None else scope.project
    if wanted is None:
        return caller
    mine = [project for project, _ in users.projects_of(tx, caller.user) if _is_wanted(project, wanted)]
    mine.sort(key=lambda project: project.id != caller.project)  # of several of one name the default one
    found = users.caller_in(tx, caller, mine[0].uuid) if mine else None
    if found is None:
        raise ScopeRefused
    return found


def _is_wanted(project: Project, wanted: Named) -> bool:
    if wanted.id:
        return project.uuid == uuid_of(wanted.id)
    return project.name == wanted.name


def _token_shape(tx: Read, caller: Caller, session: Session) -> TokenShape:
    domain = projects.get_domain(tx)
    belongs = DomainShape(id=domain.uuid.hex, name=domain.name)
    project = projects.get(tx, caller.project)
    role = users.role_in(tx, caller.user, caller.project)
    return TokenShape(
        methods=[PASSWORD],
        expires_at=rfc3339(session.expires_at, digits=6),
        issued_at=rfc3339(session.issued_at, digits=6),
        user=TokenUser(id=users.get(tx, caller.user).uuid.hex, name=caller.user_name, domain=belongs),
        project=TokenProject(id=project.uuid.hex, name=project.name, domain=belongs),
        roles=[] if role is None else [RoleShape(id=role.value, name=role.value)],
        catalog=[],
    )


def _project(project: Project, domain: Domain, base: str) -> ProjectShape:
    return ProjectShape(
        id=project.uuid.hex,
        name=project.name,
        domain_id=domain.uuid.hex,
        parent_id=domain.uuid.hex,
        links=SelfLink(self=f"{base}/{project.uuid.hex}"),
        enabled=project.enabled,
    )
