"""Jobs: calls whose answer is asked for afterwards, kept as operations for some time after they end.

A call that changes something is done in the transaction that its job is kept in; one that fails is kept as failed in
another one. So whoever was told that a job was taken finds what came of it, from whichever server and after whatever
restart; and whoever was not has changed nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import structs

from trivium.base import json
from trivium.base.caller import Caller
from trivium.base.errors import Internal, TriviumError
from trivium.base.reasons import Reason
from trivium.base.values import Value
from trivium.dialects.operation import Core, Read, Request, Write
from trivium.dialects.zstack import codes, parameters, uuids
from trivium.dialects.zstack.apis import ROOT, Api, Job, Pending
from trivium.dialects.zstack.envelope import Answer, ErrorCode, Result, error_code, error_code_of
from trivium.dialects.zstack.parameters import Given
from trivium.dialects.zstack.refusals import BadHeader, JobTookTooLong, NoSuchJob
from trivium.resources import operations
from trivium.resources.operations import Operation

KIND: Final = "zstack."
"""What the kinds of these operations begin with; the name of the API follows."""

TIMEOUT: Final = timedelta(minutes=30)
"""What clients are told that a job may take where they said nothing; then none is late, however large its files are."""

LONGEST: Final = 32
_SECONDS: Final = re.compile(r"[0-9]{1,9}")


class Asked(Value, frozen=True):
    """A call as it came: what it gives, and what the client says of its job."""

    given: Given
    uuid: UUID | None = None  # the job's, where the client chose it
    timeout: timedelta | None = None  # what the job may take, where the client says so
    hook: str | None = None  # the address that its answer is sent to
    called: str | None = None  # RPC's class of the message, for the answer's is of its package


class Taken(Value, frozen=True):
    """What a client is told of a job that was taken."""

    location: str
    api_timeout: int = msgspec.field(name="apiTimeout")  # milliseconds


class Outcome(Value, frozen=True):
    """What has come of a job: nothing yet, a result, or an error."""

    job: Operation
    result: Result | None = None
    error: ErrorCode | None = None

    @property
    def name(self) -> str:
        """The name of the API that it is a call of."""
        return self.job.kind.removeprefix(KIND)


class Jobs:
    """Takes calls as jobs, and tells what has come of them."""

    def __init__(self, apis: Iterable[Api], keep: timedelta) -> None:
        self._apis: Mapping[str, Api] = {KIND + api.name: api for api in apis if isinstance(api.handler, Job)}
        self._keep = keep

    async def take(self, core: Core, caller: Caller, api: Api, *, asked: Asked) -> Operation:
        """The job, which is carried out, has failed, or goes on.

        Raises what a call is refused for outright: `OperationExists` where its uuid was used, or a value that its type
        has not.
        """
        try:
            return await core.store.write(self._carried_out, caller, api, asked=asked)
        except Internal:
            raise
        except TriviumError as error:
            if codes.told_of(error).status is HTTPStatus.BAD_REQUEST:
                raise
            return await core.store.write(self._failed, caller, api, asked=asked, error=error)

    def find(self, tx: Read, uuid: str) -> Outcome:
        """What has come of a job, whoever asks: its uuid is what they know. `NoSuchJob`."""
        job = operations.find(tx, UUID(uuid)) if uuids.is_one(uuid) else None
        if job is None or not job.kind.startswith(KIND) or _is_over(job, tx.now):
            raise NoSuchJob(uuid=uuid[:100])
        return self.outcome(tx, job)

    def outcome(self, tx: Read, job: Operation) -> Outcome:
        """What has come of it. One that took longer than it was given has failed, whatever comes of what it began."""
        if job.is_late(tx.now):
            return Outcome(job=job, error=error_code(JobTookTooLong()))
        if not job.is_finished:
            return Outcome(job=job)
        if job.failure is not None:
            return Outcome(job=job, error=_error(job, job.failure))
        if job.result is not None:
            return Outcome(job=job, result=json.decode_as(job.result, dict[str, Any]))
        try:
            return Outcome(job=job, result=_shown(tx, job, self._apis.get(job.kind)))
        except TriviumError as error:  # what it was about has gone since
            return Outcome(job=job, error=error_code(error))

    def _carried_out(self, tx: Write, caller: Caller, api: Api, *, asked: Asked) -> Operation:
        made = _job_of(api).do(tx, caller, parameters.read(api, asked.given))
        target = made.target if isinstance(made, Pending) else None
        job = self._start(tx, caller, api, asked=asked, target=target)
        if isinstance(made, Pending):
            made.begin(tx, job.id)
        else:
            operations.finish(tx, job.id, result=made)
        return operations.get_by_uuid(tx, caller, job.uuid)

    def _failed(self, tx: Write, caller: Caller, api: Api, *, asked: Asked, error: TriviumError) -> Operation:
        job = self._start(tx, caller, api, asked=asked, target=None)
        reason = Reason(code=error.code, details={name: str(value) for name, value in error.details.items()})
        operations.finish(tx, job.id, failure=reason, result=structs.asdict(error_code(error)))
        return operations.get_by_uuid(tx, caller, job.uuid)

    def _start(self, tx: Write, caller: Caller, api: Api, *, asked: Asked, target: int | None) -> Operation:
        return operations.start(
            tx,
            caller,
            KIND + api.name,
            target=target,
            uuid=asked.uuid,
            called=asked.called,
            within=asked.timeout,
            keep=self._keep,
            hook=asked.hook,
        )


def asked_of(request: Request, given: Given) -> Asked:
    """What a request of REST says of its job. `BadHeader`. Whether it may name the web hook is for others to judge."""
    hook = request.headers.get("x-web-hook")
    return Asked(given=given, uuid=_uuid_asked(request), timeout=_timeout_asked(request), hook=hook)


def taken(job: Operation, request: Request, asked: Asked) -> Answer:
    """The answer to who asked for a job: where to look for what comes of it."""
    location = f"{request.base_url}{ROOT}/api-jobs/{job.uuid.hex}"
    told = Taken(location=location, api_timeout=int((asked.timeout or TIMEOUT).total_seconds() * 1000))
    return Answer(status=HTTPStatus.ACCEPTED, shape=told)


def told(outcome: Outcome) -> Answer:
    """The answer to who looks."""
    if outcome.error is not None:
        shape = {"success": False, "error": outcome.error}
        return Answer(status=HTTPStatus.SERVICE_UNAVAILABLE, shape=shape, outcome=outcome.error.code)
    if outcome.result is None:
        return Answer(status=HTTPStatus.ACCEPTED, shape={})
    return Answer(status=HTTPStatus.OK, shape={"success": True, **outcome.result})


def _job_of(api: Api) -> Job:
    if not isinstance(api.handler, Job):
        message = f"{api.name} is no job"
        raise TypeError(message)
    return api.handler


def _error(job: Operation, failure: Reason) -> ErrorCode:
    """What a call failed for; what a worker ended has no more than its reason."""
    return error_code_of(failure) if job.result is None else msgspec.json.decode(job.result, type=ErrorCode)


def _shown(tx: Read, job: Operation, api: Api | None) -> Result:
    """The answer to a call that went on, made of what it was about."""
    show = None if api is None else _job_of(api).show
    return {} if show is None else show(tx, job)


def _is_over(job: Operation, now: datetime) -> bool:
    return job.expires_at is not None and job.expires_at <= now


def _uuid_asked(request: Request) -> UUID | None:
    text = request.headers.get("x-job-uuid")
    if text is None:
        return None
    if not uuids.is_one(text):
        raise BadHeader("X-Job-UUID", expected="32 hexadecimal digits")
    return UUID(text)


def _timeout_asked(request: Request) -> timedelta | None:
    text = request.headers.get("x-api-timeout")
    if text is None:
        return None
    if not _SECONDS.fullmatch(text.strip()) or not int(text):
        raise BadHeader("X-API-Timeout", expected="a number of seconds")
    return timedelta(seconds=int(text))
