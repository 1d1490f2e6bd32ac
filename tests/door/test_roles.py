"""Who is let in where, as the design's section on URLs says."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from tests.door.clients import client_of
from tests.towns import Town
from twin_api.identity.tokens import make_token

CREDENTIALS_THAT_ARE_NONE = [
    "", "Bearer", "Bearer x", "Basic dXNlcjpwYXNz", "Digest a=b", "Bearer dtw_aaaaaaaa_x_00000000", "Token {valid}", "{valid}",
    "Bearer {valid} {valid}", "Bearer {valid},{valid}", "Bearer {cut}", "Bearer {upper}", "Bearer {unknown}",
    "Bearer \xff\xfe", "Bearer " + "a" * 5000,
]  # fmt: skip


def ask(town: Town, path: str, *roles: str) -> httpx.Response:
    return client_of(town, *roles).get(path)


@pytest.mark.parametrize(
    ("path", "roles", "status"),
    [
        ("/citizen", (), 200),
        ("/citizen", ("council",), 200),
        ("/citizen", ("administration/bauhof",), 200),
        ("/council", (), 401),
        ("/council", ("council",), 200),
        ("/council", ("administration",), 403),
        ("/council", ("citizen",), 403),
        ("/administration", (), 401),
        ("/administration", ("council",), 403),
        ("/administration", ("administration",), 200),
        ("/administration", ("administration/bauhof",), 403),
        ("/administration/bauhof", (), 401),
        ("/administration/bauhof", ("administration",), 403),
        ("/administration/bauhof", ("administration/wasser",), 403),
        ("/administration/bauhof", ("administration/bauhof",), 200),
    ],
)
@pytest.mark.parametrize("rest", ["", "/", "/collections", "/collections/baeume/items", "/api", "/conformance"])
def test_a_path_is_opened_by_its_own_role_alone(town: Town, path: str, roles: tuple[str, ...], status: int, rest: str) -> None:
    assert ask(town, path + rest, *roles).status_code == status


def test_an_anonymous_client_sees_the_citizen_twin(town: Town) -> None:
    names = [c["id"] for c in ask(town, "/citizen/collections").json()["collections"]]
    assert names == ["baeume"]


def test_a_valid_token_on_the_citizen_path_is_served_as_citizen(town: Town) -> None:
    assert ask(town, "/citizen/collections", "administration").content == ask(town, "/citizen/collections").content


def test_a_token_may_hold_several_roles(town: Town) -> None:
    client = client_of(town, "council", "administration/bauhof")
    answers = [client.get(path).status_code for path in ("/council", "/administration/bauhof", "/administration", "/administration/wasser")]
    assert answers == [200, 200, 403, 403]


def test_a_refused_token_is_told_the_roles_it_holds(town: Town) -> None:
    assert ask(town, "/administration", "council", "administration/wasser").json()["roles"] == ["council", "administration/wasser"]


@pytest.mark.parametrize("family", ["council", "administration"])
@pytest.mark.parametrize("part", ["nix", "bauhof2", "Bauhof", "x" * 60, "bau-hof", "_", "1", "bauhof%00", "..%2f..", "%F0%9F%8C%B3"])
def test_unknown_parts_answer_as_known_ones_do_until_logged_in(town: Town, family: str, part: str) -> None:
    unknown, known = ask(town, f"/{family}/{part}"), ask(town, "/administration/bauhof")
    assert unknown.status_code == 401
    assert unknown.content == known.content
    assert ask(town, f"/{family}/{part}", "administration", "council").status_code == 404


def test_the_bare_address_leads_to_the_citizen_twin(town: Town) -> None:
    answer = ask(town, "/")
    assert (answer.status_code, answer.headers["location"]) == (302, "/citizen")


@pytest.mark.parametrize(
    "path",
    [
        "/%0A",
        "/%0A0",
        "/citizen/%0A",
        "/citizen/collections%0A",
        "/citizen/collections/baeume/items%0A",
        "/nix%0A",
        "/readyz%0A",
        "/healthz%0A",
    ],
)
def test_an_encoded_line_end_is_no_end_of_an_address(town: Town, path: str) -> None:
    answer = ask(town, path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize(
    "path", ["/nix", "/readyz/", "/healthz/", "/Citizen", "/citizens", "/citizen/nix", "/citizen/bauhof", "/council%20"]
)
def test_what_is_no_twin_is_not_found(town: Town, path: str) -> None:
    assert ask(town, path).status_code == 404
    assert ask(town, path, "administration").status_code == 404


@pytest.mark.parametrize("path", ["/citizen", "/council", "/administration", "/administration/bauhof", "/administration/nix"])
@pytest.mark.parametrize("credentials", CREDENTIALS_THAT_ARE_NONE)
def test_broken_credentials_open_nothing_and_all_look_the_same(town: Town, path: str, credentials: str) -> None:
    valid = town_token(town)
    text = credentials.format(valid=valid, cut=valid[:-1], upper=valid.upper(), unknown=make_token().text()).encode("latin-1")
    refused = client_of(town).get(path, headers={b"Authorization": text})
    assert refused.status_code == 401
    assert refused.json() == {
        "type": "urn:twin-api:problem:credentials-invalid",
        "title": "Das Token ist nicht gültig",
        "status": 401,
        "detail": "es ist falsch geschrieben, unbekannt, widerrufen oder abgelaufen",
    }


def town_token(town: Town) -> str:
    if not hasattr(town, "one_token"):
        town.one_token = town.token("council", "administration", "administration/bauhof")  # type: ignore[attr-defined]
    return str(town.one_token)  # type: ignore[attr-defined]


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER ", "Bearer   "])
def test_the_scheme_is_read_without_regard_to_case(town: Town, scheme: str) -> None:
    assert client_of(town).get("/council", headers={"Authorization": scheme + town_token(town)}).status_code == 200


def test_two_authorization_headers_are_refused_even_if_both_are_right(town: Town) -> None:
    header = ("Authorization", f"Bearer {town_token(town)}")
    assert client_of(town).get("/council", headers=[header, header]).status_code == 401


def test_an_expired_token_opens_nothing(town: Town) -> None:
    expired = {"Authorization": f"Bearer {town.token('council', lasts=timedelta(seconds=-1))}"}
    assert [client_of(town).get(path, headers=expired).status_code for path in ("/council", "/citizen")] == [401, 401]


def test_a_token_with_another_tokens_secret_opens_nothing(town: Town) -> None:
    one, other = town.token("council"), town.token("council")
    mixed = type(make_token())(one.split("_")[1], other.split("_")[2]).text()
    assert client_of(town).get("/council", headers={"Authorization": f"Bearer {mixed}"}).status_code == 401


@pytest.mark.parametrize("page", ["", "/collections", "/collections/baeume", "/collections/baeume/items", "/api", "/conformance"])
@pytest.mark.parametrize("name", ["token", "access_token", "api_key", "Authorization"])
def test_a_token_in_the_query_string_is_an_unknown_parameter(town: Town, page: str, name: str) -> None:
    refused = client_of(town).get(f"/citizen{page}", params={name: town_token(town)})
    assert refused.status_code == 400
    assert town_token(town).split("_")[2] not in refused.text
    assert client_of(town).get("/council", params={name: town_token(town)}).status_code == 401


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE"])
def test_other_methods_are_refused_after_credentials(town: Town, method: str) -> None:
    refused = client_of(town).request(method, "/citizen/collections")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert client_of(town).request(method, "/council").status_code == 401
    assert client_of(town, "council").request(method, "/council").status_code == 405


def test_an_address_beyond_8_kib_is_too_long(town: Town) -> None:
    client = client_of(town)
    assert client.get("/citizen?" + "a" * (8192 - len("/citizen"))).status_code == 400
    assert client.get("/citizen?" + "a" * (8193 - len("/citizen"))).status_code == 414
    assert client.get("/citizen/" + "a" * 8192).status_code == 414
