"""Who goes first: councils and administrations before citizens, and citizens are not forgotten."""

from __future__ import annotations

import asyncio

from twin_api.door.precedence import Precedence

LONG = 30.0


async def begin(precedence: Precedence, asking: int) -> list[asyncio.Task[None]]:
    """So many citizens ask; those who may have begun when this returns."""
    tasks = [asyncio.create_task(precedence.let_pass()) for _ in range(asking)]
    for _ in range(10):
        await asyncio.sleep(0)
    return tasks


def begun(tasks: list[asyncio.Task[None]]) -> int:
    return sum(task.done() for task in tasks)


def test_nobody_yields_where_nobody_goes_first() -> None:
    async def run() -> int:
        return begun(await begin(Precedence(LONG, few=1, shortly_s=LONG), 8))

    assert asyncio.run(run()) == 8


def test_citizens_begin_one_by_one_while_and_shortly_after_somebody_goes_first() -> None:
    async def run() -> list[int]:
        precedence = Precedence(LONG, few=1, shortly_s=LONG)
        precedence.begin()
        tasks = await begin(precedence, 3)
        seen = [begun(tasks)]
        precedence.end()
        for _ in range(3):
            await asyncio.sleep(0.001)
            seen.append(begun(tasks))
            precedence.leave()
        return seen

    assert asyncio.run(run()) == [0, 1, 2, 3]


def test_a_little_later_all_begin() -> None:
    async def run() -> int:
        precedence = Precedence(LONG, few=1, shortly_s=0.0)
        precedence.begin()
        tasks = await begin(precedence, 8)
        precedence.end()
        await asyncio.sleep(0.001)
        return begun(tasks)

    assert asyncio.run(run()) == 8


def test_nobody_yields_for_longer_than_a_moment() -> None:
    async def run() -> int:
        precedence = Precedence(0.01, few=1, shortly_s=LONG)
        precedence.begin()
        tasks = await begin(precedence, 8)
        await asyncio.wait(tasks, timeout=5)
        return begun(tasks)

    assert asyncio.run(run()) == 8


def test_who_leaves_the_line_holds_up_nobody() -> None:
    async def run() -> list[bool]:
        precedence = Precedence(LONG, few=1, shortly_s=LONG)
        precedence.begin()
        first, second = await begin(precedence, 2)
        first.cancel()
        precedence.end()
        await asyncio.sleep(0.001)
        return [first.cancelled(), second.done()]

    assert asyncio.run(run()) == [True, True]
