"""Who sees what, as plain rows for a table.

Must never decide anything: it prints what the loaded policies already say.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from twin_api.policy.documents import Figure, Figures, Grant, Policies
from twin_api.policy.masks import GeometryMask, Round, ValueMask
from twin_api.policy.rule import All, And, Between, Compare, Due, In, Inside, IsNull, Not, Or, Rule, Value


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One collection in one role's twin, in the words of the policy language."""

    role: str
    collection: str
    layer: str
    rows: str
    geometry: str
    attributes: str  # `art keep, baujahr round 10`
    until: date | None  # the last day of its release
    figures: str = ""  # `schaechte count; by ortsteile, at least 20, yearly`


def matrix(policies: Policies, day: date) -> list[MatrixRow]:
    """What is open on `day`: roles in the order of their files, collections by name."""
    return [
        _row(role.name, grant) for role in policies.roles.values() for _, grant in sorted(role.open_on(day).items())
    ]  # fmt: skip


def _row(role: str, grant: Grant) -> MatrixRow:
    return MatrixRow(
        role=role,
        collection=grant.collection,
        layer=grant.layer,
        rows=describe_rule(grant.shown_rows),
        geometry=describe_mask(grant.geometry) if grant.figures is None else "",
        attributes=", ".join(f"{name} {describe_mask(mask)}" for name, mask in grant.attributes.items()),
        until=grant.release.until if grant.release is not None else None,
        figures=describe_figures(grant.figures) if grant.figures is not None else "",
    )


def describe_mask(mask: GeometryMask | ValueMask) -> str:
    written = mask.as_policy()
    return written if isinstance(written, str) else " ".join(f"{word} {argument}" for word, argument in written.items())


def describe_figures(figures: Figures) -> str:
    counted = ", ".join(f"{figure.name} {describe_figure(figure)}" for figure in figures.figures)
    return f"{counted}; by {figures.group_by}, at least {figures.at_least}, {figures.refresh}"


def describe_figure(figure: Figure) -> str:
    values = f" in ({', '.join(map(_literal, figure.values))})" if figure.values else ""
    step = f" round {Round(figure.step).as_policy()['round']}" if figure.step is not None else ""
    return f"{figure.kind}{f' {figure.attribute}' if figure.attribute else ''}{values}{step}"


def describe_rule(rule: Rule) -> str:  # noqa: C901  # one case per kind of rule
    """The rule as CQL2 text, `all` for every row; reading the text again gives a rule with the same meaning."""
    match rule:
        case All():
            return "all"
        case Compare(attribute, operator, value):
            return f"{attribute} {operator} {_literal(value)}"
        case In(attribute, values):
            return f"{attribute} IN ({', '.join(map(_literal, values))})"
        case Between(attribute, low, high):
            return _range(attribute, low, high)
        case IsNull(attribute):
            return f"{attribute} IS NULL"
        case Inside(layer, attribute, values):
            return f"inside {layer}.{attribute} IN ({', '.join(map(_literal, values))})"
        case Due(attribute):
            return f"{attribute} <= TODAY"
        case Not(IsNull(attribute)):
            return f"{attribute} IS NOT NULL"
        case Not(term):
            return f"NOT ({describe_rule(term)})"
        case And(terms):
            return " AND ".join(f"({describe_rule(term)})" if isinstance(term, Or) else describe_rule(term) for term in terms)
        case Or(terms):
            return " OR ".join(describe_rule(term) for term in terms)


def _range(attribute: str, low: Value | None, high: Value | None) -> str:
    if low is None:
        return f"{attribute} <= {_literal(high)}"
    return f"{attribute} >= {_literal(low)}" if high is None else f"{attribute} BETWEEN {_literal(low)} AND {_literal(high)}"


def _literal(value: Value | None) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime):
        return f"TIMESTAMP('{value.isoformat().replace('+00:00', 'Z')}')"
    return f"DATE('{value.isoformat()}')" if isinstance(value, date) else repr(value)
