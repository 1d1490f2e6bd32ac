"""How PostgreSQL runs our statements: EXPLAIN (ANALYZE, BUFFERS) as the citizen's own login, prepared as the server prepares them.

`python bench/explain.py` after `make bench`; `--plan custom` or `generic` says which kind of plan, otherwise PostgreSQL chooses.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
from pathlib import Path
from uuid import UUID

from psycopg import sql

from bench.servers import Asked
from bench.town import PROJECT, Town
from bench.workloads import make_workloads
from twin_api.query.look import FINISHED
from twin_api.query.page import Pages
from twin_api.query.window import bind
from twin_api.settings import Settings
from twin_api.store import twin as twin_module
from twin_api.store.engine import Pool
from twin_api.store.twin import Statement, Twin, compile_statement

SETTLING = 8  # runs before the one that is shown: PostgreSQL chooses between generic and custom plans after five


def main() -> None:
    told = _arguments()
    town = Town(told.home, Settings().testdata, told.features)
    with town.running():
        town.settle()
        for name, statement in asyncio.run(statements(town)).items():
            print(f"\n=== {name}\n{statement.sql if told.sql else ''}")
            print(explain(town, statement, told.plan))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", choices=["auto", "custom", "generic"], default="auto")
    parser.add_argument("--sql", action="store_true", help="print the statements too")
    parser.add_argument("--features", type=int, default=200_000)
    parser.add_argument("--home", type=Path, default=PROJECT / ".twin" / "bench")
    return parser.parse_args()


async def statements(town: Town) -> dict[str, Statement]:
    """One statement per workload, exactly as the server makes it."""
    pool = Pool(town.server, "citizen", 1, 1.0)
    try:
        collection = await Twin("citizen", pool).collection("gebaeude")
    finally:
        await pool.close()
    found = {}
    for workload in make_workloads(town, random.Random(7)):  # noqa: S311  # no secret
        asked = workload.asked[0]
        if asked.id:
            found[workload.name] = Statement(_item_sql("citizen", "gebaeude"), {"id": UUID(asked.id), "name": "gebaeude"})
        else:
            found[workload.name] = Pages(collection, bind(collection, _parameters(asked))).statement("citizen")
    return found


def explain(town: Town, statement: Statement, plan: str) -> str:
    """The plan that a prepared statement gets; an EXPLAIN with parameters of its own would be planned for their values."""
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", statement.sql)))
    text = re.sub(r"%\((\w+)\)s", lambda found: f"${names.index(found[1]) + 1}", statement.sql)
    values = sql.SQL(", ").join(sql.Literal(statement.params[name]) for name in names)
    with town.citizen() as connection:
        connection.execute(f"SET plan_cache_mode = {plan if plan == 'auto' else f'force_{plan}_plan'}".encode())
        connection.execute(f"PREPARE shown AS {text}".encode())
        for _ in range(SETTLING):
            rows = connection.execute(sql.SQL("EXPLAIN (ANALYZE, BUFFERS) EXECUTE shown ({})").format(values)).fetchall()
        return "\n".join(line for (line,) in rows)


def _parameters(asked: Asked) -> list[tuple[str, str]]:
    return [("limit", str(asked.limit)), *([("bbox", asked.bbox)] if asked.bbox else [])]


def _item_sql(schema: str, collection: str) -> str:
    return compile_statement(twin_module._select_item(schema, collection, FINISHED))


if __name__ == "__main__":
    main()
