"""Leaks of the publisher: triggers, figures, expiry and withdrawal leave something standing, or move what must rest."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from tests.leaks.planted.plant import Patch, Planted, rewritten, run
from twin_api.publish import withdraw
from twin_api.query import page
from twin_api.store import twin as twin_module

_COUNT_THE_STORE: Final = "EXECUTE format('SELECT count(*) FROM store.%I', d.layer) INTO d.count; FOR s IN"
_SPREAD: Final = "SELECT published.spread(relation) FROM published.definition"


def _always_shown(patch: Patch) -> None:
    for module in (page, twin_module):
        patch.setattr(module, "is_shown", lambda table: sa.true())


def _shown_a_day_longer(patch: Patch) -> None:
    told = page.is_shown

    def is_shown(table: sa.Table) -> sa.ColumnElement[bool]:
        return sa.or_(told(table), table.c.shown_until > sa.func.now() - sa.text("interval '1 day'"))

    for module in (page, twin_module):
        patch.setattr(module, "is_shown", is_shown)


def _never_looked_up_again(patch: Patch) -> None:
    patch.setattr(twin_module.Twin, "collection", twin_module.Twin.known)


def _never_closed(patch: Patch) -> None:
    patch.setattr(withdraw, "keep_withdrawn", lambda connection: None)


PLANTED: Final = (
    Planted("count taken from the store", 3, ("answers", "drift"), after=rewritten("spread", "FOR s IN", _COUNT_THE_STORE, _SPREAD)),
    Planted(
        "interval taken from the store",
        4,
        ("answers",),
        after=rewritten("spread", "FROM published.%2$I', d.datetime, told)", "FROM store.%2$I', d.datetime, d.layer)", _SPREAD),
    ),
    Planted("count one too many", 3, ("drift",), after=rewritten("tell", "SET count = count + gained", "SET count = count + gained + 1")),
    Planted(
        "trigger skips an update that hides a row",
        45,
        ("drift", "figures"),
        after=rewritten("{citizens}_follow", "WHERE t.id = o.id AND NOT EXISTS", "WHERE false AND t.id = o.id AND NOT EXISTS"),
    ),
    Planted("trigger disabled", 45, ("drift",), after=run('ALTER TABLE store.baeume DISABLE TRIGGER "{citizens}_update"')),
    Planted("deleted rows stay published", 45, ("drift",), after=run('ALTER TABLE store.baeume DISABLE TRIGGER "{citizens}_delete"')),
    Planted("figures do not shrink", 4, ("figures",), after=rewritten("tell", "IF removed IS NOT NULL AND (", "IF false AND (")),
    Planted(
        "published row touched by a hidden edit",
        7,
        ("traces",),
        after=rewritten("{citizens}_follow", "WHERE t.id IS NULL OR (", "WHERE true OR ("),
    ),
    Planted("expired release still open", 46, ("gone at once",), before=_always_shown),
    Planted("release ends a day late", 46, ("gone at once",), before=_shown_a_day_longer),
    Planted("known collections kept over a policy change", 45, ("gone at once",), before=_never_looked_up_again),
    Planted("withdrawn collection still listed", 1, ("withdrawn",), before=_never_closed),
)
