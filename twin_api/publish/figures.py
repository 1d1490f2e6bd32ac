"""Figures as SQL: the rows of a layer counted by area or by value, and held back where a group is small.

INVARIANT: a shown count is 0 or at least `at_least`; what is held back is so with so much else that no total gives it away. The same
rules stand in plain Python in `policy/evaluate.py`, and both are tested against each other.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from twin_api.layers.table import COLUMN_TYPES, GEOMETRY, STORE
from twin_api.policy.documents import Figure
from twin_api.policy.figures import AMOUNTS, FEWEST
from twin_api.policy.masks import Round
from twin_api.policy.masks.area import area_of, standing_point
from twin_api.publish.definition import Column, Definition, Groups
from twin_api.publish.predicate import is_not_withdrawn
from twin_api.publish.statement import PlainGeometry
from twin_api.store.collection import GEOMETRY as SHOWN_GEOMETRY

DOMINANT: Final = "0.85"  # of a sum, by its two largest parts
Element = sa.ColumnElement[Any]
Numbers = sa.Numeric()


def group_rows(definition: Definition, groups: Groups, source: sa.FromClause, visible: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """One row per group: id, labels, figures, and the area's geometry where there are areas."""
    tallied = _tallied(definition, groups, source, visible)
    ranked = _ranked(groups, tallied)
    judged = _judged(groups, ranked)
    valued = _valued(definition, groups, judged)
    columns: list[Element] = [valued.c.id, *(valued.c[column.name] for column in definition.columns[: len(groups.labels)])]
    columns += [_complemented(valued, figure) for figure in groups.figures.figures]
    if definition.geometry_type:
        columns.append(sa.type_coerce(valued.c[SHOWN_GEOMETRY], PlainGeometry()).label(SHOWN_GEOMETRY))
    return sa.select(*columns)


def _tallied(definition: Definition, groups: Groups, source: sa.FromClause, visible: sa.ColumnElement[bool]) -> sa.FromClause:
    """Every group with what its members add up to; a group without members is there too."""
    known = _known_groups(definition, groups)
    # named outright: the subqueries in group and condition are about these rows, even where nothing else of them is selected
    rows = sa.select(_group_of(definition, groups, source).label("_group"), *_used(groups, source)).select_from(source)
    members = rows.where(visible).subquery("members")
    sums = [sa.func.count().label("_n")]
    for number, figure in enumerate(groups.figures.figures):
        sums += _sums(number, figure, members)
    tally = sa.select(members.c["_group"], *sums).group_by(members.c["_group"]).subquery("tally")
    joined = known.outerjoin(tally, tally.c["_group"] == known.c["_group"])
    counts = [sa.func.coalesce(tally.c["_n"], sa.literal_column("0")).label("_n")]
    rest = [column for name, column in tally.c.items() if name not in ("_group", "_n")]
    return sa.select(*known.c, *counts, *rest).select_from(joined).subquery("tallied")


def _known_groups(definition: Definition, groups: Groups) -> sa.FromClause:
    labels: tuple[Column, ...] = definition.columns[: len(groups.labels)]
    if groups.figures.by_area:
        columns: list[sa.ColumnClause[Any]] = [sa.column("id", sa.Uuid()), sa.column(GEOMETRY, PlainGeometry())]
        columns += [sa.column(label.name, COLUMN_TYPES[label.type]) for label in labels]
        area = sa.table(groups.figures.group_by, *columns, schema=STORE).alias("g")
        shown = [area.c[label.name] for label in labels]
        known = sa.select(area.c.id.label("_group"), area.c.id, area.c[GEOMETRY].label(SHOWN_GEOMETRY), *shown)
        return known.where(is_not_withdrawn(area)).subquery("known")
    # an id of its own for each value, the same at every refresh
    choices = [
        sa.select(
            sa.cast(sa.literal(value), sa.Text).label("_group"),
            sa.cast(sa.func.md5(sa.literal(f"{definition.layer}:{groups.figures.group_by}:{value}")), sa.Uuid).label("id"),
            sa.cast(sa.literal(value), sa.Text(collation="C")).label(labels[0].name),
        )
        for value in groups.values
    ]
    return sa.union_all(*choices).subquery("known")


def _group_of(definition: Definition, groups: Groups, source: sa.FromClause) -> Element:
    if groups.figures.by_area:
        point = standing_point(source.c[GEOMETRY], groups.members_are_points)
        return area_of(groups.figures.group_by, groups.labels, point, lambda area: area.c.id)
    return source.c[groups.figures.group_by]


def _used(groups: Groups, source: sa.FromClause) -> list[Element]:
    names = dict.fromkeys(figure.attribute for figure in groups.figures.figures if figure.attribute is not None)
    return [source.c[name].label(f"_a_{name}") for name in names]


def _sums(number: int, figure: Figure, members: sa.FromClause) -> list[Any]:
    """What one figure needs of its group: how many values there are, how many match, their sum and the weight of the two largest."""
    if figure.attribute is None:
        return []
    value = members.c[f"_a_{figure.attribute}"]
    known = sa.func.count(value).label(f"_t{number}")
    if figure.kind == "share":
        wanted = [sa.cast(sa.literal(v if isinstance(v, str | bool | int | float) else v.isoformat()), value.type) for v in figure.values]
        return [known, sa.func.count().filter(value.in_(wanted)).label(f"_m{number}")]
    exact = sa.cast(sa.cast(value, sa.Text), Numbers)  # a double by its shortest text, and a sum that cannot overflow
    size = sa.func.abs(exact)
    largest = sa.func.array_agg(sa.dialects.postgresql.aggregate_order_by(size, size.desc().nulls_last()))
    top = sa.func.coalesce(_element(largest, 1), _zero()) + sa.func.coalesce(_element(largest, 2), _zero())
    return [known, sa.func.sum(exact).label(f"_s{number}"), sa.func.sum(size).label(f"_w{number}"), top.label(f"_l{number}")]


def _element(array: Element, place: int) -> Element:
    return sa.type_coerce(sa.type_coerce(array, sa.dialects.postgresql.ARRAY(Numbers))[sa.literal_column(str(place))], Numbers)


def _zero() -> Element:
    return sa.literal_column("0", Numbers)


def _order(groups: Groups, table: sa.FromClause) -> list[Element]:
    """Small groups first, empty ones last, then by name."""
    labels = [sa.collate(sa.cast(table.c[label], sa.Text), "C") for label in groups.labels]
    return [table.c["_n"] == sa.literal_column("0"), table.c["_n"], *labels]


def _ranked(groups: Groups, tallied: sa.FromClause) -> sa.FromClause:
    order = _order(groups, tallied)
    before = sa.func.sum(tallied.c["_n"]).over(order_by=order, rows=(None, -1))
    few = sa.and_(tallied.c["_n"] > sa.literal_column("0"), tallied.c["_n"] < _least(groups))
    any_few = sa.func.bool_or(few).over()
    rank = sa.func.row_number().over(order_by=order)
    occupied = sa.func.count().filter(tallied.c["_n"] > sa.literal_column("0")).over()
    columns = [rank.label("_r"), sa.func.coalesce(before, _zero()).label("_c"), few.label("_few"), any_few.label("_any")]
    columns += [occupied.label("_occupied"), sa.func.sum(tallied.c["_n"]).over().label("_all")]
    return sa.select(*tallied.c, *columns).subquery("ranked")


def _least(groups: Groups) -> Element:
    return sa.literal_column(str(groups.figures.at_least), sa.BigInteger())


def _judged(groups: Groups, ranked: sa.FromClause) -> sa.FromClause:
    """Which groups are held back: the small ones, and then the next until they are two at least and enough together.

    Where all of them are not enough, even the empty ones are: beside zeros, the one that is none would be known to be small.
    """
    c = ranked.c
    drawn_in = sa.and_(c["_any"], sa.or_(c["_r"] <= sa.literal_column("2"), c["_c"] < _least(groups)))
    too_few = sa.and_(c["_any"], sa.or_(c["_occupied"] < sa.literal_column("2"), c["_all"] < _least(groups)))
    held = sa.or_(sa.and_(c["_n"] > sa.literal_column("0"), sa.or_(c["_few"], drawn_in)), too_few)
    return sa.select(*ranked.c, held.label("_held")).subquery("judged")


def _valued(definition: Definition, groups: Groups, judged: sa.FromClause) -> sa.FromClause:
    types = {column.name: column.type for column in definition.columns}
    columns = []
    for number, figure in enumerate(groups.figures.figures):
        shown = _count(figure, judged) if figure.kind == "count" else _measure(number, figure, groups, judged)
        whole = types[figure.name] == "integer"
        columns.append(_fitted(shown, whole).label(figure.name))
    known = [column for name, column in judged.c.items() if name in ("id", "_n", "_held", SHOWN_GEOMETRY, *groups.labels)]
    inner = sa.select(*known, *columns).subquery("values")
    open_ = sa.and_(inner.c["_n"] > sa.literal_column("0"), ~inner.c["_held"])
    more: list[Element] = []
    for figure in (figure for figure in groups.figures.figures if figure.kind in AMOUNTS):
        value = inner.c[figure.name]
        more.append(sa.func.count().filter(sa.and_(open_, value.is_(None))).over().label(f"_gaps_{figure.name}"))
        turn = sa.func.row_number().over(order_by=[sa.or_(value.is_(None), ~open_), *_order(groups, inner)])
        more.append(turn.label(f"_turn_{figure.name}"))
    return sa.select(*inner.c, *more).subquery("valued")


def _count(figure: Figure, judged: sa.FromClause) -> Element:
    return sa.case((~judged.c["_held"], _rounded(sa.cast(judged.c["_n"], Numbers), figure)))


def _measure(number: int, figure: Figure, groups: Groups, judged: sa.FromClause) -> Element:
    """A share, a sum or a mean, where enough members have a value and none of them stands out."""
    c = judged.c
    enough = sa.and_(~c["_held"], c[f"_t{number}"] >= _least(groups))
    if figure.kind == "share":
        matched, known = c[f"_m{number}"], c[f"_t{number}"]
        share = _rounded(sa.literal_column("100.0", Numbers) * sa.cast(matched, Numbers) / sa.cast(known, Numbers), figure, "1")
        fewest: Element = sa.literal_column(str(FEWEST))
        mixed = sa.and_(matched >= fewest, known - matched >= fewest)
        inside = sa.and_(share > _zero(), share < sa.literal_column("100", Numbers))
        return sa.case((sa.and_(enough, mixed), sa.case((inside, share))))
    # where all are 0, the sum would speak of each one
    even = sa.and_(c[f"_w{number}"] > _zero(), c[f"_l{number}"] <= sa.literal_column(DOMINANT, Numbers) * c[f"_w{number}"])
    total = c[f"_s{number}"] if figure.kind == "sum" else c[f"_s{number}"] / sa.cast(c[f"_t{number}"], Numbers)
    return sa.case((sa.and_(enough, even), _rounded(total, figure)))


def _rounded(number: Element, figure: Figure, default: str | None = None) -> Element:
    step = f"{figure.step:f}" if figure.step is not None else default
    if step is None:
        return number
    literal = sa.literal_column(step, Numbers)
    return sa.type_coerce(sa.func.round(number / literal) * literal, Numbers)


def _fitted(number: Element, whole: bool) -> Element:
    """As the column's type, and nothing where that cannot hold it."""
    return Round.fitted(sa.type_coerce(number, Numbers), COLUMN_TYPES["integer" if whole else "number"])


def _complemented(valued: sa.FromClause, figure: Figure) -> Element:
    """A single gap among sums could be filled from their total: the first of the others goes with it. Counts see to it earlier."""
    value = valued.c[figure.name]
    if figure.kind not in AMOUNTS:
        return value
    one: Element = sa.literal_column("1")
    alone = sa.and_(valued.c[f"_gaps_{figure.name}"] == one, valued.c[f"_turn_{figure.name}"] == one)
    return sa.case((~alone, value)).label(figure.name)
