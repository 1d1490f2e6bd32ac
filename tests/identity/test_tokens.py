"""The form of tokens, and what is kept of them."""

from __future__ import annotations

import hmac
import re
import time
import traceback
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.towns import Town
from twin_api.identity.tokens import Token, TokenMalformed, make_token, read_token


def test_a_token_has_the_form_that_secret_scanners_know() -> None:
    assert re.fullmatch(r"dtw_[a-z0-9]{8}_[A-Za-z0-9]{43}_[0-9a-f]{8}", make_token().text())


def test_a_token_is_read_as_it_was_made() -> None:
    for token in (make_token() for _ in range(200)):
        assert read_token(token.text()) == token


def test_tokens_do_not_repeat_and_use_every_letter() -> None:
    tokens = [make_token() for _ in range(500)]
    assert len({token.id for token in tokens}) == len({token.secret for token in tokens}) == 500
    letters = Counter("".join(token.secret for token in tokens))
    assert len(letters) == 62
    assert max(letters.values()) < 2 * min(letters.values())


def test_every_single_wrong_character_is_noticed() -> None:
    text = make_token().text()
    for place in range(len(text)):
        for wrong in ("x" if text[place] != "x" else "y", "", text[place] * 2, text[place].swapcase() if text[place].isalpha() else "a"):
            with pytest.raises(TokenMalformed):
                read_token(text[:place] + wrong + text[place + 1 :])


@settings(max_examples=300)
@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=80) | st.from_regex(r"dtw_[a-z0-9]{8}_[A-Za-z0-9]{43}_[0-9a-f]{7}[g-z\n]")
)
def test_nothing_else_is_a_token(text: str) -> None:
    with pytest.raises(TokenMalformed):
        read_token(text)


def test_no_text_of_a_token_object_or_its_errors_shows_the_secret() -> None:
    token = make_token()
    assert token.secret not in f"{token} {token!r} {[token]} {vars(type(token))}"
    with pytest.raises(TokenMalformed) as refused:
        read_token(token.text()[:-1] + "g")
    assert token.secret not in "".join(traceback.format_exception_only(refused.value))


def test_the_hash_depends_on_secret_and_pepper_and_nothing_else() -> None:
    token = make_token()
    assert token.hash("a") == Token("other123", token.secret).hash("a")
    assert len({token.hash("a"), token.hash("b"), make_token().hash("a")}) == 3
    assert len(token.hash("a")) == 32


def test_the_store_keeps_no_token_only_its_hash(town: Town) -> None:
    token = read_token(town.token("council", name="kept"))
    with town.login("owner") as connection:
        row = connection.execute("SELECT secret, t::text FROM control.token t WHERE id = %s", [token.id]).fetchone()
    assert row is not None
    assert bytes(row[0]) == token.hash(town.secrets.read("pepper"))
    assert token.secret not in row[1]


def test_the_hash_is_compared_in_constant_time(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []
    original = hmac.compare_digest

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return original(one, other)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    text = town.token("council")
    assert town.client().get("/council", headers={"Authorization": f"Bearer {text}"}).status_code == 200
    hashed = read_token(text).hash(town.secrets.read("pepper"))
    assert compared == [(hashed, hashed)]


def test_the_last_use_is_noted_but_not_for_a_wrong_secret(town: Town) -> None:
    right, wrong = read_token(town.token("council")), read_token(town.token("council"))
    mixed = Token(wrong.id, right.secret)
    client = town.client()
    answers = [client.get("/council", headers={"Authorization": f"Bearer {token.text()}"}).status_code for token in (right, mixed)]
    assert answers == [200, 401]
    assert _used(town, right.id, waits=True)
    assert not _used(town, wrong.id)


def _used(town: Town, id: str, *, waits: bool = False) -> bool:
    with town.login("owner") as connection:
        for _ in range(100 if waits else 1):
            row = connection.execute("SELECT last_used_at IS NOT NULL FROM control.token WHERE id = %s", [id]).fetchone()
            if row and row[0]:
                return True
            time.sleep(0.02)
    return False
