"""Non-interference over HTTP: whatever a role asks, two towns that look alike to it answer byte for byte alike.

`find_interference` writes to the pair and asks it in turn. Everything follows from the seed; what was found is kept as a file that
`python -m tests.noninterference.replay FILE` asks again.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from random import Random
from typing import Any, Final
from urllib.parse import unquote_plus

import orjson
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from tests.noninterference.asking import HOST, Answer, Request
from tests.noninterference.changes import ALIKE, ALONE, Alone, Changes
from tests.noninterference.channels import BETWEEN
from tests.noninterference.edits import restored, unseen_edit, variation
from tests.noninterference.findings import save
from tests.noninterference.requests import KINDS, Draw, Requests, Undrawn
from tests.noninterference.rows import CANARY
from tests.noninterference.towns import Pair, Side
from tests.noninterference.words import Words
from twin_api.publish.layers import LayersRefused
from twin_api.store.engine import Pool

PER_TURN: Final = 20  # pairs of answers between writes
PER_ROUND: Final = 1000  # pairs until both towns are filled anew, with policies of their own
EDITED_EACH: Final = 10  # turns between changes of other roles' policies
ASKED_AGAIN: Final = 3  # pairs of a turn that are requests of before, where only hidden things were written since
ENOUGH: Final = 3  # findings that end a run

Heard = list[tuple[str, str, str, Any]]  # database, login, text, parameters
Change = tuple[Any, int | None, str]  # what, to which town (None: both alike), in which layer


_LAYERS: Final = ("baeume", "baeume", "kanalschaechte", "kanalschaechte", "denkmale", "sitzungen", "leitungen", "bauantraege")
# the same letters as without a word about them, which costs a second in each process
_TEXT: Final = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_CHANCES: Final = st.lists(st.tuples(st.integers(0, 2**60), _TEXT), min_size=PER_TURN, max_size=PER_TURN)


def draw_changes(random: Random, alone: Sequence[Alone]) -> list[Change]:
    """Some changes of a turn, two of three to one town alone.

    Not left to hypothesis: in the fifty turns of a round it repeats itself, and a third of the changes would not be drawn at all.
    """
    some = [random.randrange(3) < 2 for _ in range(random.choice((1, 1, 2, 4)))]
    return [
        (random.choice(alone), random.randrange(2), random.choice(_LAYERS))
        if hidden
        else (random.choice(ALIKE), None, random.choice(_LAYERS))
        for hidden in some
    ]


def find_interference(pair: Pair, role: str, n: int, seed: int, counts: Counter[int] | None = None) -> list[str]:
    """What the role could notice of what is hidden from it, in `n` pairs of answers. `counts` takes how often each channel was reached."""
    run = Run(pair, role, seed, counts if counts is not None else Counter())
    run.go(n)
    return run.found


class Run:
    """One role's run over a pair. `alone` is what is written to one town between its turns, `kinds` are the requests asked in them."""

    alone: Sequence[Alone] = ALONE
    kinds = KINDS

    def __init__(self, pair: Pair, role: str, seed: int, counts: Counter[int]) -> None:
        self._pair = pair
        self._role = role
        self._seed = seed
        self._counts = counts
        self.heard: Heard = []
        self.asked = 0
        self.found: list[str] = []
        self._turn = 0
        self._before: dict[Request, tuple[int, Answer]] = {}  # the left town's answers since something visible was written, by their turn

    def go(self, n: int) -> None:
        with statements_heard() as self.heard:
            for number in itertools.count():
                if self.asked >= n or self.found:
                    return
                self._round(number, min(self.asked + PER_ROUND, n))

    def _round(self, number: int, until: int) -> None:
        """Both towns filled anew, and asked until so many pairs have been asked in all."""
        self._random = Random(f"{self._seed} {self._role} {number}")
        self._writes = self._settle()
        document = orjson.loads(self._pair.ask(self._own("/api?f=json"))[0].body)
        others = [role for role in self._pair.left.policies.roles if role not in (self._role, "citizen")]
        self._requests = Requests(self._role, document, others, self.kinds)
        self.found += self._requests.undrawn
        every = settings(
            max_examples=(until - self.asked) // PER_TURN + 2,
            phases=[Phase.generate],
            database=None,
            deadline=None,
            derandomize=False,
            suppress_health_check=list(HealthCheck),
        )

        @seeded(self._random.getrandbits(60))
        @every
        @given(_CHANCES)
        def turns(chances: list[tuple[int, str]]) -> None:
            if self.asked < until and not self.found:
                self._take_turn(draw_changes(self._random, self.alone), chances[: until - self.asked])

        turns()

    def _own(self, target: str) -> Request:
        return Request(f"/{self._role}{target}", token=None if self._role == "citizen" else self._role)

    def _settle(self) -> Changes:
        pair = self._pair
        files = variation(restored(pair.founded_on, pair.left.files, pair.right.files), self._random)
        for side in pair.sides:
            side.clear()
            if files != side.files:
                side.apply(files)
        self._before.clear()
        writes = Changes(pair, self._role, self._random)
        writes.fill()
        return writes

    def _take_turn(self, changes: list[Change], chances: list[tuple[int, str]]) -> None:
        self._turn += 1
        if any(number is None for _, number, _ in changes):
            self._before.clear()
        for change, number, layer in changes:
            if number is None:
                change(self._writes, layer)
            else:
                self._write_alone(self._pair.sides[number], partial(change, self._writes, self._pair.sides[number], layer))
        if self._turn % EDITED_EACH == 0:
            side = self._random.choice(self._pair.sides)
            self._write_alone(side, partial(self._edit, side))
        assert not (wrong := self._writes.differ()), f"the towns must look alike, and do not: {wrong}"
        words = Words(self._pair, self._role, self._random)
        again = self._random.sample(list(self._before), min(len(self._before), ASKED_AGAIN))
        for (number, text), before in itertools.zip_longest(chances, again[: len(chances)]):
            try:
                self._ask(before or self._draw(Draw(Random(f"{number} {self.asked}"), text), words), words)
            except Undrawn as undrawn:
                self.found.append(str(undrawn))
            if len(self.found) >= ENOUGH:
                return

    def _write_alone(self, side: Side, write: Callable[[], None]) -> None:
        """What the role may not see is written to one town."""
        write()

    def _edit(self, side: Side) -> None:
        """Other roles' policies change in one town; what was added to a layer is filled with something hidden."""
        files = unseen_edit(side.files, self._role, self._random)
        if files is None:
            return
        added = [name for name in files if files[name] != side.files.get(name) and CANARY.lower() in files[name]]
        try:
            side.apply(files)
        except LayersRefused:
            return
        for name in added:
            layer = name.removeprefix("layers/").removesuffix(".yaml")
            side.run("writer", f"UPDATE store.{layer} SET {CANARY.lower()}zusatz = '{CANARY}-' || id")

    def _draw(self, draw: Draw, words: Words) -> Request:
        return self._requests.draw(draw, words, self._writes.withdrawn[-8:])

    def _ask(self, request: Request, words: Words) -> None:
        if 19 in request.channels:
            self._as_administration(request)
        answers, said = self._both(request)
        self.asked += 1
        self._counts.update(request.channels | ({33} if answers[0].status >= 400 else set()))
        if differences := [*compare(*answers), *said, *self._moved(request, answers[0]), *_told(answers, request, words)]:
            file = save(self._pair, self._role, self._seed, request, answers, differences)
            self.found.append(
                f"{self._role}, seed {self._seed}: {request.method} {request.target} {dict(request.headers)}: {'; '.join(differences)} [{file}]"
            )
        self._requests.learn(request, answers[0])

    def _moved(self, request: Request, answer: Answer) -> Iterator[str]:
        """What hidden writes alone have changed in the left town's answer."""
        turn, before = self._before.setdefault(request, (self._turn, answer))
        if turn != self._turn:
            self._counts[BETWEEN] += 1
            yield from (f"before and after hidden writes: {difference}" for difference in compare(before, answer))

    def _as_administration(self, request: Request) -> None:
        """The same address below another role, by somebody who may: its answer must not be what the next one gets."""
        rest = request.target.removeprefix(f"/{self._role}")
        self._pair.ask(Request(f"/administration{rest}", request.method, request.headers, "administration"))

    def _both(self, request: Request) -> tuple[tuple[Answer, Answer], list[str]]:
        """The answers, and whether the two servers asked their databases the same."""
        self.heard.clear()
        answers = self._pair.ask(request)
        left, right = ([told[1:] for told in self.heard if told[0] == side.town.database] for side in self._pair.sides)
        return answers, [] if left == right else [f"statements {left!r} | {right!r}"[:400]]


def compare(left: Answer, right: Answer) -> Iterator[str]:
    """In what two answers differ."""
    if left.status != right.status:
        yield f"status {left.status} | {right.status}"
    if left.headers != right.headers:
        yield f"headers {sorted(set(left.headers) ^ set(right.headers))} (or their order)"
    if left.body != right.body or left.decoded != right.decoded:
        yield f"body {_apart(left.decoded, right.decoded)}"


def _apart(left: bytes, right: bytes) -> str:
    at = next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
    return f"at byte {at}: {left[max(0, at - 40) : at + 40]!r} | {right[max(0, at - 40) : at + 40]!r}"


def _told(answers: Sequence[Answer], request: Request, words: Words) -> Iterator[str]:
    """Hidden words in either answer that the client did not say itself, and ways that lead from the role's own address to another's."""
    said = unquote_plus(request.target).encode()
    own = request.target.startswith(f"/{words.role}/")
    for answer in answers:
        whole = answer.decoded + b"\n".join(value for _, value in answer.headers)
        told = [word for word in words.unsayable if word in whole and word not in said]
        told += [address for address in words.others_addresses if own and address in whole and address.split(HOST.encode())[1] not in said]
        yield from (f"tells `{word.decode()}`" for word in sorted(told))


@contextmanager
def statements_heard() -> Iterator[Heard]:
    """What the twins' pools are asked to run."""
    heard: Heard = []
    rows = Pool.rows

    async def listening(self: Pool, sql: str, params: Any, **how: Any) -> Any:
        if self.login != "control":
            heard.append((self._server.database, self.login, sql, params))
        return await rows(self, sql, params, **how)

    Pool.rows = listening  # type: ignore[method-assign]
    try:
        yield heard
    finally:
        Pool.rows = rows  # type: ignore[method-assign]
