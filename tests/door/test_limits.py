"""What one request may be and one client may ask; nobody is served worse because somebody else asks a lot."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from tests.door.clients import client_of
from tests.door.test_problems import address, ask_raw
from tests.towns import Serving, Town
from twin_api.cli.serve import _HANDED_ON
from twin_api.door.bucket import Buckets
from twin_api.door.limits import FAILURES, Limits, check_size
from twin_api.identity.tokens import Token, make_token, read_token
from twin_api.problems import Problem, TooBusy
from twin_api.settings import Settings
from twin_api.turns import Turns

ITEMS = "/citizen/collections/baeume/items"


def refusal(**changed: object) -> str | None:
    scope = {"raw_path": b"/", "query_string": b"", "headers": [], "method": "GET", **changed}
    try:
        check_size(scope)
    except Problem as problem:
        return problem.type
    return None


@pytest.mark.parametrize(
    ("request_", "type"),
    [
        ({"raw_path": b"/" * 8192}, None),
        ({"raw_path": b"/" * 8000, "query_string": b"a" * 193}, "uri-too-long"),
        ({"query_string": b"&".join([b"a=1"] * 64)}, None),
        ({"query_string": b"&".join([b"a=1"] * 65)}, "too-many-parameters"),
        ({"headers": [(b"a", b"b")] * 64}, None),
        ({"headers": [(b"a", b"b")] * 65}, "headers-too-large"),
        ({"headers": [(b"a", b"b" * 32_767)]}, None),
        ({"headers": [(b"a", b"b" * 32_768)]}, "headers-too-large"),
        ({"headers": [(b"content-length", b"0")]}, None),
        ({"headers": [(b"content-length", b"1")]}, "content-not-taken"),
        ({"headers": [(b"transfer-encoding", b"chunked")], "method": "HEAD"}, "content-not-taken"),
        ({"headers": [(b"content-length", b"1")], "method": "PUT"}, None),  # that it cannot write is said elsewhere
    ],
    ids=str,
)
def test_a_request_has_a_size(request_: dict[str, object], type: str | None) -> None:
    assert refusal(**request_) == type


def test_the_largest_request_that_is_allowed_arrives(town: Town) -> None:
    headers = {f"x-{n}": "a" * 500 for n in range(55)}
    assert client_of(town).get("/citizen", headers=headers).status_code == 200
    assert client_of(town).get("/citizen", headers=headers | {"x-more": "a" * 8000}).status_code == 431


@pytest.mark.parametrize("head", [b"X: " + b"a" * 80_000, b"\r\n".join(b"X-%d: a" % n for n in range(9000))])
def test_a_head_without_end_is_cut_off(town: Town, head: bytes) -> None:
    status, headers, _ = ask_raw(address(town), b"/citizen", head)
    assert (status, headers["connection"], headers["content-type"]) == (431, "close", "application/problem+json")


def test_what_is_no_http_is_a_problem_too(town: Town) -> None:
    status, headers, body = ask_raw(address(town), b"\x00\x01")
    assert (status, headers["cache-control"]) == (400, "no-store")
    assert b"urn:twin-api:problem:request-malformed" in body


# --- buckets


def test_a_bucket_empties_at_once_and_fills_in_its_time() -> None:
    buckets = Buckets(rate=2, burst=5)
    assert [buckets.spend("a", 100.0) for _ in range(6)] == [0, 0, 0, 0, 0, pytest.approx(0.5)]
    assert buckets.spend("b", 100.0) == 0
    assert buckets.spend("a", 100.4) == pytest.approx(0.1)
    assert buckets.spend("a", 100.5) == 0
    assert [buckets.spend("a", 200.0) for _ in range(6)].count(0) == 5  # full again, and never more than full


def test_of_many_addresses_the_last_ones_are_remembered() -> None:
    buckets = Buckets(rate=1, burst=1, known=1000)
    for n in range(200_000):
        buckets.spend(str(n), n / 1000)
    assert len(buckets) == 1000
    assert buckets.spend("199999", 200.0) > 0


def test_what_is_owed_has_an_end() -> None:
    buckets = Buckets(rate=0.5, burst=3)
    for _ in range(10_000):
        buckets.owe("a", 0.0, at_most_s=60)
    assert 0 < buckets.wait_s("a", 0.0) <= 62
    assert buckets.wait_s("a", 62.1) == 0


# --- turns


def jain(served: list[int]) -> float:
    return sum(served) ** 2 / (len(served) * sum(n * n for n in served))


async def _crowd(clients: dict[str, int], turns: Turns, rounds: int) -> Counter[str]:
    """Each client keeps so many requests open at once; who is refused asks again. Time is counted in turns, not in seconds."""
    served: Counter[str] = Counter()

    async def ask(client: str) -> None:
        while served.total() < rounds:
            try:
                await turns.take(client)
            except TooBusy:
                await asyncio.sleep(0)
                continue
            await asyncio.sleep(0)
            served[client] += 1
            turns.give_back()

    await asyncio.gather(*(ask(client) for client, open_ in clients.items() for _ in range(open_)))
    return served


def test_under_tenfold_overload_all_clients_are_served_alike() -> None:
    clients = {f"c{n}": open_ for n, open_ in enumerate([1, 1, 2, 4, 8, 8, 8, 8, 20, 20])}  # 80 at once where 8 are served
    served = asyncio.run(_crowd(clients, Turns(8, 16, 60.0), 2000))
    shares = [served[client] for client in clients]
    assert jain([share for client, share in served.items() if clients[client] > 1]) > 0.9
    assert jain(shares) > 0.8  # who keeps one request open cannot have as much as who keeps many
    assert min(shares) > 0


def test_a_crowd_of_one_does_not_keep_the_others_waiting() -> None:
    served = asyncio.run(_crowd({"loud": 100, "calm": 8, "quiet": 8}, Turns(8, 32, 60.0), 1000))
    assert jain(list(served.values())) > 0.9


def test_the_newest_of_the_longest_line_gives_its_place_to_a_newcomer() -> None:
    async def run() -> list[str]:
        turns, seen = Turns(1, 3, 60.0), []

        async def ask(client: str) -> None:
            try:
                await turns.take(client)
            except TooBusy:
                seen.append(f"{client} refused")
                return
            seen.append(client)
            await asyncio.sleep(0)
            turns.give_back()

        await turns.take("first")
        waiting = [asyncio.create_task(ask(client)) for client in ("a", "a", "a", "b", "a", "b", "c")]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        turns.give_back()
        await asyncio.gather(*waiting)
        return seen

    *refused, first, second, third = asyncio.run(run())
    assert Counter(refused) == {"a refused": 3, "b refused": 1}
    assert (first, second, third) == ("a", "b", "c")


def test_no_turn_is_lost_by_those_who_give_up() -> None:
    seed = random.randrange(10**6)
    print("seed", seed)
    chance = random.Random(seed)

    async def ask(turns: Turns, client: str, working: list[int]) -> None:
        await turns.take(client)
        working[0] += 1
        assert working[0] <= 3
        try:
            await asyncio.sleep(chance.random() / 500)
        finally:
            working[0] -= 1
            turns.give_back()

    async def run() -> None:
        turns, working = Turns(3, 20, 0.003), [0]
        for _ in range(60):
            tasks = [asyncio.create_task(ask(turns, chance.choice("abcd"), working)) for _ in range(20)]
            await asyncio.sleep(chance.random() / 300)
            for task in chance.sample(tasks, 8):
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            assert {type(end) for end in ended} <= {type(None), TooBusy, asyncio.CancelledError}
        assert (turns._free, turns._places, len(turns._lines)) == (3, 20, 0)

    asyncio.run(run())


def test_work_beyond_its_time_ends_and_gives_its_turn_back() -> None:
    async def run() -> None:
        limits = Limits(Settings(request_s=0.01, requests=1))
        for _ in range(3):
            with pytest.raises(TooBusy):
                async with limits.work("council/bau", "a"):
                    await asyncio.sleep(5)

    asyncio.run(run())


def test_whoever_is_cancelled_by_somebody_else_is_not_told_to_come_back() -> None:
    async def work(limits: Limits) -> None:
        async with limits.work("council/bau", "a"):
            await asyncio.sleep(5)

    async def run() -> None:
        limits = Limits(Settings(request_s=0.2, requests=2))
        for patience_s in (0.0, 0.05, 0.19, 0.2, 0.21, 0.4):  # before the bound, at it, and after
            task = asyncio.create_task(work(limits))
            await asyncio.sleep(patience_s)
            told = task.cancel()
            with pytest.raises(asyncio.CancelledError if told else TooBusy):
                await task
        assert not limits._bounds._running
        assert not limits._bounds._overdue

    asyncio.run(run())


def test_the_bound_of_work_does_not_outlive_it() -> None:
    async def run() -> None:
        limits = Limits(Settings(request_s=0.1, requests=1))
        async with limits.work("council/bau", "a"):
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
        async with limits.work("council/bau", "a"):
            pass
        async with asyncio.timeout(0.02):
            with pytest.raises(asyncio.CancelledError):
                async with limits.work("council/bau", "a"):
                    await asyncio.sleep(5)
            raise asyncio.CancelledError

    with pytest.raises(TimeoutError):
        asyncio.run(run())


def test_citizens_do_not_begin_while_others_are_in_work_and_are_not_forgotten() -> None:
    async def run() -> list[str]:
        limits, seen = Limits(Settings(requests=4)), []

        async def citizen() -> None:
            async with limits.work("citizen", "a"):
                seen.append("citizen")

        async def council(takes_s: float) -> None:
            async with limits.work("council/bau", "b"):
                await asyncio.sleep(takes_s)
                seen.append("council")

        await asyncio.gather(council(0.02), *(citizen() for _ in range(3)))
        await asyncio.gather(council(0.5), citizen())
        return seen

    assert asyncio.run(run()) == ["council", "citizen", "citizen", "citizen", "citizen", "council"]


# --- over HTTP


@pytest.fixture(scope="module")
def strict(town: Town) -> Iterator[httpx.Client]:
    """A server that lets a client ask ten times at once and once a second."""
    serving = Serving(town.settings(rate=1, burst=10))
    with httpx.Client(base_url=serving.address, timeout=30) as client:
        yield client
    serving.stop()


def from_(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address}


def test_who_asks_too_often_is_told_when_to_come_back(strict: httpx.Client) -> None:
    answers = [strict.get("/citizen/nix", headers=from_("203.0.113.1")) for _ in range(30)]
    counts = Counter(answer.status_code for answer in answers)
    assert counts.keys() == {404, 429}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["type"] == "urn:twin-api:problem:too-many-requests"
    assert refused.headers["cache-control"] == "no-store"
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["ratelimit-policy"] == '"client";q=10;w=10'
    assert refused.headers["ratelimit"] == '"client";r=0;t=1'
    assert strict.get("/citizen", headers=from_("203.0.113.2")).status_code == 200


def test_an_answer_does_not_say_how_much_has_been_asked(strict: httpx.Client) -> None:
    first, second = (strict.get("/citizen/collections", headers=from_("203.0.113.3")) for _ in range(2))
    for name in ("date", "x-request-id"):
        first.headers.pop(name), second.headers.pop(name)
    assert first.headers == second.headers
    assert not [name for name in first.headers if name.startswith("ratelimit")]


def test_one_household_is_one_client(strict: httpx.Client) -> None:
    answers = [strict.get("/citizen", headers=from_(f"2001:db8:5:1{n:x}::{n + 1}")) for n in range(16)]
    assert 429 in {answer.status_code for answer in answers}


def test_a_token_is_a_client_wherever_it_comes_from(town: Town, strict: httpx.Client) -> None:
    token = {"Authorization": f"Bearer {town.token('council')}"}
    for n in range(30):
        last = strict.get("/council", headers=token | from_(f"203.0.113.{100 + n}"))
    assert last.status_code == 429
    other = {"Authorization": f"Bearer {town.token('council')}"}
    assert strict.get("/council", headers=other | from_("203.0.113.100")).status_code == 200


def test_this_machine_itself_is_not_counted(strict: httpx.Client) -> None:
    assert {strict.get("/citizen").status_code for _ in range(40)} == {200}


def test_wrong_tokens_from_an_address_have_an_end_and_known_ones_go_on(town: Town, strict: httpx.Client) -> None:
    here = from_("203.0.113.50")
    known = {"Authorization": f"Bearer {town.token('administration')}"}
    assert strict.get("/administration", headers=here | known).status_code == 200
    guesses = [strict.get("/council", headers=here | {"Authorization": f"Bearer {make_token().text()}"}) for _ in range(FAILURES + 20)]
    counts = Counter(guess.status_code for guess in guesses)
    assert FAILURES <= counts[401] <= FAILURES + 5
    assert counts[429] == len(guesses) - counts[401]
    assert int(guesses[-1].headers["retry-after"]) >= 1
    assert strict.get("/administration", headers=here | known).status_code == 200
    assert strict.get("/council", headers=from_("203.0.113.51") | {"Authorization": f"Bearer {make_token().text()}"}).status_code == 401


def test_a_valid_token_that_nobody_has_seen_passes_a_flood_of_wrong_ones_from_its_address(town: Town, strict: httpx.Client) -> None:
    here, texts = from_("203.0.113.60"), [town.token("administration") for _ in range(2)]
    for _ in range(FAILURES + 20):
        last = strict.get("/administration", headers=here | {"Authorization": f"Bearer {make_token().text()}"})
    assert last.status_code == 429
    for text in texts:
        assert strict.get("/administration", headers=here | {"Authorization": f"Bearer {text}"}).status_code == 200


def test_guesses_at_the_secret_of_one_token_have_an_end_and_answer_like_any_others(town: Town, strict: httpx.Client) -> None:
    here, there, text = from_("203.0.113.70"), from_("203.0.113.71"), town.token("administration")

    def guess() -> httpx.Response:
        wrong = Token(read_token(text).id, make_token().secret).text()
        return strict.get("/administration", headers=here | {"Authorization": f"Bearer {wrong}"})

    counts = Counter(guess().status_code for _ in range(FAILURES + 20))
    assert FAILURES <= counts[401] <= FAILURES + 5
    assert counts[429] == FAILURES + 20 - counts[401]
    named, nameless = guess(), strict.get("/administration", headers=here | {"Authorization": f"Bearer {make_token().text()}"})
    assert (named.status_code, named.content) == (nameless.status_code, nameless.content)
    own = {"Authorization": f"Bearer {text}"}
    assert strict.get("/administration", headers=here | own).status_code == 429, "nobody may go on guessing until it is right"
    assert strict.get("/administration", headers=there | own).status_code == 200
    assert strict.get("/administration", headers=here | own).status_code == 200, "known by now"


def test_a_flood_of_tokens_from_everywhere_does_not_reach_those_who_have_one(town: Town) -> None:
    """Neither to those that were valid a moment ago, nor to those that nobody has seen yet."""
    serving = Serving(town.settings())
    token, fresh = town.token("council"), [town.token("council") for _ in range(5)]

    async def run() -> tuple[set[int], Counter[int]]:
        limits = httpx.Limits(max_connections=100)
        async with httpx.AsyncClient(base_url=serving.address, timeout=30, limits=limits) as client:

            async def guess(n: int) -> int:
                headers = from_(f"198.51.{n % 100}.{n % 250}") | {"Authorization": f"Bearer {make_token().text()}"}
                return (await client.get("/council", headers=headers)).status_code

            async def use() -> int:
                return (await client.get("/council", headers={"Authorization": f"Bearer {token}"})).status_code

            async def use_first(text: str) -> int:
                return (await client.get("/council", headers={"Authorization": f"Bearer {text}"})).status_code

            await use()
            flood = asyncio.gather(*(guess(n) for n in range(300)))
            used = {await use() for _ in range(20)}
            strangers = [await use_first(stranger) for stranger in fresh]
            return used | set(strangers), Counter(await flood)

    try:
        used, flood = asyncio.run(run())
    finally:
        serving.stop()
    assert used == {200}
    assert flood.keys() == {401}


def test_a_limit_of_none_is_none() -> None:
    limits = Limits(Settings(rate=0))
    for _ in range(10_000):
        limits.spend("a")


def test_every_setting_reaches_the_server_or_is_none_of_its_business() -> None:
    told_otherwise = {"server", "secrets", "roles", "metrics_port", "metrics_host", "metrics_folder"}
    of_commands = {
        "home", "database_url", "database", "policies", "sources", "source_hosts", "source_networks", "source_ca", "proj_data", "testdata",
        "require_testdata", "backups", "backup_recipient", "backup_keep", "backup_key", "work_metrics_port",
    }  # fmt: skip
    assert set(_HANDED_ON) == set(Settings.model_fields) - told_otherwise - of_commands
