"""Passwords that many check at once: nobody keeps all others waiting."""

from __future__ import annotations

import asyncio
from collections import Counter

from trivium.base.caller import Caller, Role
from trivium.resources import users
from trivium.resources.users import Login, PasswordChecks, TooManyLogins, UserStatus, WrongPassword, checking

KEPT = users.hash_of("correct horse")
RIGHT, WRONG = users.digest_of("correct horse"), users.digest_of("wrong")
NOBODY = Login(caller=None, status=UserStatus.ACTIVE, hash=users.hash_of("whatever"))


def login_of(user: int) -> Login:
    caller = Caller(user=user, user_name=f"user{user}", project=2, role=Role.MEMBER)
    return Login(caller=caller, status=UserStatus.ACTIVE, hash=KEPT)


async def outcome(checks: PasswordChecks, login: Login, digest: str, address: str) -> str:
    try:
        return (await checks.check(login, digest, address=address)).user_name
    except (WrongPassword, TooManyLogins) as error:
        return type(error).__name__


async def outcomes(checks: PasswordChecks, *asked: tuple[Login, str, str]) -> list[str]:
    return await asyncio.gather(*(outcome(checks, *one) for one in asked))


async def test_whoever_guesses_keeps_neither_the_user_nor_others_from_logging_in() -> None:
    guesses = [(login_of(1), WRONG, "192.0.2.1")] * 50
    mine, hers = (login_of(1), RIGHT, "192.0.2.2"), (login_of(2), RIGHT, "192.0.2.1")
    found = await outcomes(PasswordChecks(), *guesses, mine, hers)
    assert found[-2:] == ["user1", "user2"]
    assert Counter(found[:-2]) == {"WrongPassword": checking.OF_USER, "TooManyLogins": 50 - checking.OF_USER}


async def test_names_that_nobody_has_count_as_one_user() -> None:
    found = await outcomes(PasswordChecks(), *[(NOBODY, WRONG, "192.0.2.1")] * 20, (login_of(1), RIGHT, "192.0.2.1"))
    assert found[-1] == "user1"
    assert found.count("WrongPassword") == checking.OF_USER


async def test_one_address_takes_no_more_than_its_share() -> None:
    many = [(login_of(number), RIGHT, "192.0.2.1") for number in range(1, 31)]
    found = await outcomes(PasswordChecks(), *many, (login_of(1), RIGHT, "192.0.2.2"))
    assert found[-1] == "user1"
    assert 30 - found.count("TooManyLogins") == checking.OF_ADDRESS


async def test_all_together_are_bounded_and_what_has_ended_counts_no_more() -> None:
    checks = PasswordChecks()
    many = [(login_of(number), RIGHT, f"192.0.2.{number}") for number in range(1, checking.MOST + 11)]
    assert (await outcomes(checks, *many)).count("TooManyLogins") == 10
    assert await outcomes(checks, *many[-2:]) == [f"user{checking.MOST + 9}", f"user{checking.MOST + 10}"]
