"""Row rules as CQL2 text, in the subset that cannot fail on any row: comparisons, IN, BETWEEN, IS NULL, AND, OR, NOT.

Must never let any construct through that is not listed here.
"""

from __future__ import annotations

import json
from typing import Any, Final, cast

from twin_api.cql2_text import NotCql2, moments_of, parse_cql2
from twin_api.policy.documents import Attribute, Layer, Place
from twin_api.policy.fields import parse_date
from twin_api.policy.finding import Findings, quoted
from twin_api.policy.rule import All, And, Between, Compare, In, IsNull, Not, Operator, Or, Rule, Value
from twin_api.policy.values import convert, parse_moment
from twin_api.texts import Text

MAX_DEPTH: Final = 40
EXACT: Final = 2**53  # the parser reads every number as a double

_COMPARISONS: Final = ("=", "<>", "<", "<=", ">", ">=")

SUBSET: Final = Text(
    "möglich sind Vergleiche eines Attributs (links) mit einem Wert (rechts), IN, BETWEEN, IS NULL, AND, OR, NOT und Klammern",
    "possible are comparisons of an attribute (left) with a value (right), IN, BETWEEN, IS NULL, AND, OR, NOT and brackets",
)


class _Refused(Exception):  # never leaves this file
    def __init__(self, what: Text, remedy: Text = SUBSET) -> None:
        super().__init__(what.en)
        self.what, self.remedy = what, remedy


def read_cql2(text: str, layer: Layer, place: Place, findings: Findings) -> Rule:
    """The rule the text states about the layer's attributes; after a finding, one that shows everything (and is never used)."""
    try:
        _check_moments(text)
        return _Translator(layer, place, findings).rule(_parse(text), 0)
    except _Refused as refusal:
        findings.add(place, refusal.what, refusal.remedy)
        return All()


def _check_moments(text: str) -> None:
    """The parser takes a moment without offset for UTC, the town would not; so it is asked for before parsing."""
    for written in moments_of(text):
        if parse_moment(written) is None:
            what = Text(f"{quoted(written)} ist kein Zeitpunkt mit Zeitzone", f"{quoted(written)} is not a moment with its offset")
            example = "`TIMESTAMP('2026-11-20T08:30:00+01:00')`"
            raise _Refused(what, Text(f"etwa {example} schreiben", f"write {example}, for example"))


def _parse(text: str) -> Any:
    try:
        return parse_cql2(text, Text("die Regel", "the rule"), escapes=False)
    except NotCql2 as error:
        raise _Refused(error.what, error.remedy or SUBSET) from None


class _Translator:
    """From the parser's JSON (CQL2 Annex C) to a rule. Every shape not named here is refused."""

    def __init__(self, layer: Layer, place: Place, findings: Findings) -> None:
        self._layer, self._place, self._findings = layer, place, findings

    def rule(self, node: Any, depth: int) -> Rule:
        if depth > MAX_DEPTH:
            raise _Refused(Text("die Regel ist zu tief verschachtelt", "the rule is nested too deeply"))
        match node:
            case {"op": "and" | "or" as op, "args": [*args]}:
                return _flat(And if op == "and" else Or, [self.rule(arg, depth + 1) for arg in args])
            case {"op": "not", "args": [arg]}:
                return Not(self.rule(arg, depth + 1))
            case {"op": "isNull", "args": [{"property": str(name)}]}:
                return IsNull(self._attribute(name).name)
            case {"op": "in", "args": [{"property": str(name)}, [*items]]}:
                attribute = self._attribute(name)
                return In(name, tuple(self._value(item, attribute) for item in items))
            case {"op": "between", "args": [{"property": str(name)}, low, high]}:
                attribute = self._ordered(name)
                return Between(name, self._value(low, attribute), self._value(high, attribute))
            case {"op": str(op), "args": [{"property": str(name)}, value]} if op in _COMPARISONS:
                attribute = self._attribute(name) if op in ("=", "<>") else self._ordered(name)
                return Compare(name, cast("Operator", op), self._value(value, attribute))
        raise _Refused(_unknown_shape(node))

    def _attribute(self, name: str) -> Attribute:
        attribute = self._layer.attributes.get(name)
        if attribute is None:
            kind = Text("ein Attribut", "attribute")
            self._findings.unknown(self._place, kind, name, self._layer.attributes)
            return Attribute(name, Text(name), "text", "", self._place)
        return attribute

    def _ordered(self, name: str) -> Attribute:
        attribute = self._attribute(name)
        if attribute.type == "boolean":
            raise _Refused(
                Text(f"`{name}` ist wahr oder falsch, nicht größer oder kleiner", f"`{name}` is true or false, not more or less")
            )
        return attribute

    def _value(self, literal: Any, attribute: Attribute) -> Value:
        if attribute.name not in self._layer.attributes:
            return ""  # said already
        value = convert(_plain(literal, attribute), attribute, self._place, self._findings)
        return "" if value is None else value


def _plain(literal: Any, attribute: Attribute) -> Any:
    match literal:
        case bool() | str():
            typed = {"date": "DATE('2026-11-20')", "datetime": "TIMESTAMP('2026-11-20T07:30:00Z')"}.get(attribute.type)
            if typed and isinstance(literal, str):
                what = Text(f"`{attribute.name}` wird mit Text verglichen", f"`{attribute.name}` is compared with text")
                raise _Refused(what, Text(f"`{typed}` schreiben", f"write `{typed}`"))
            return literal
        case float() | int():
            return _whole(float(literal), attribute.name) if attribute.type == "integer" else float(literal)
        case {"date": str(text)}:
            return parse_date(text) or text
        case {"timestamp": str(text)}:
            return parse_moment(text) or text
    raise _Refused(_unknown_shape(literal))


def _whole(number: float, name: str) -> int | float:
    if abs(number) >= EXACT:
        what = Text(f"{name}: Zahlen ab 2^53 liest CQL2 nicht genau", f"{name}: CQL2 does not read numbers from 2^53 exactly")
        remedy = Text(f"als Liste schreiben: `rows: {{{name}: [zahl]}}`", f"write it as a list: `rows: {{{name}: [number]}}`")
        raise _Refused(what, remedy)
    return int(number) if number == int(number) else number


def _flat(kind: type[And | Or], terms: list[Rule]) -> Rule:
    """`a AND b AND c` is one conjunction of three, however it was bracketed."""
    flat: list[Rule] = []
    for term in terms:
        flat.extend(term.terms if isinstance(term, kind) else [term])
    return kind(tuple(flat))


def _unknown_shape(node: Any) -> Text:
    """Names the innermost thing that is not possible: for `casei(art) = 'x'` that is `casei`."""
    inner = [arg for arg in node.get("args", ()) if isinstance(arg, dict) and "op" in arg] if isinstance(node, dict) else []
    if inner:
        return _unknown_shape(inner[0])
    if isinstance(node, dict) and node.get("op") in _COMPARISONS:
        sign = quoted(node["op"])
        return Text(f"{sign} steht nicht zwischen einem Attribut und einem Wert", f"{sign} does not stand between an attribute and a value")
    if isinstance(node, dict) and "property" in node:
        name = quoted(node["property"])
        return Text(f"{name} steht an einer Stelle, an der kein Attribut stehen darf", f"{name} stands where no attribute may")
    shown = quoted(node["op"] if isinstance(node, dict) and "op" in node else json.dumps(node, ensure_ascii=False, default=str))
    return Text(f"{shown} ist an dieser Stelle einer Regel nicht möglich", f"{shown} is not possible at this place of a rule")
