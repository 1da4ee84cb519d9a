"""Passwords: what is kept tells nothing, and what is checked is the digest that ZStack's clients send."""

from __future__ import annotations

import hashlib

import pytest

from trivium.base.caller import Caller, Role
from trivium.resources import users
from trivium.resources.users import BadPassword, Login, UserDisabled, UserStatus, WrongPassword, passwords

ALICE = Caller(user=1, user_name="alice", project=2, role=Role.MEMBER)
KEPT = users.hash_of("correct horse")


def _login(caller: Caller | None = ALICE, status: UserStatus = UserStatus.ACTIVE) -> Login:
    return Login(caller=caller, status=status, hash=KEPT)


def test_the_digest_is_the_lower_case_hex_sha512() -> None:
    assert users.digest_of("密码") == hashlib.sha512("密码".encode()).hexdigest()


def test_the_right_password_lets_in_also_as_a_digest_in_capitals() -> None:
    assert users.check_password(_login(), users.digest_of("correct horse")) == ALICE
    assert users.check_password(_login(), users.digest_of("correct horse").upper()) == ALICE


def test_a_wrong_password_is_refused() -> None:
    for wrong in (users.digest_of("other"), "correct horse", ""):
        with pytest.raises(WrongPassword):
            users.check_password(_login(), wrong)


def test_nobody_gets_in_as_an_unknown_user_even_if_the_decoy_matched() -> None:
    with pytest.raises(WrongPassword):
        users.check_password(_login(caller=None), users.digest_of("correct horse"))


def test_that_a_user_is_disabled_is_told_only_to_who_knows_the_password() -> None:
    login = _login(status=UserStatus.DISABLED)
    with pytest.raises(UserDisabled):
        users.check_password(login, users.digest_of("correct horse"))
    with pytest.raises(WrongPassword):
        users.check_password(login, users.digest_of("other"))


def test_an_unknown_user_costs_the_same_work() -> None:
    assert passwords.DECOY.rsplit("$", 2)[0] == KEPT.rsplit("$", 2)[0]
    assert len(passwords.DECOY) == len(KEPT)


@pytest.mark.parametrize("password", ["", "x" * 1025])
def test_an_empty_or_absurd_password_is_refused(password: str) -> None:
    with pytest.raises(BadPassword):
        users.hash_of(password)
