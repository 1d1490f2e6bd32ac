"""What every page may be asked: each parameter once, and none that the page does not know."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from twin_api.problems import InvalidParameter
from twin_api.store.collection import Collection, Property
from twin_api.texts import Text

Asked = Sequence[tuple[str, str]]  # the query string's parameters in order


def once(asked: Asked) -> dict[str, str]:
    """The parameters by name; raises `InvalidParameter` for one that is given twice."""
    given: dict[str, str] = {}
    for name, text in asked:
        if name in given:
            said = name[:100]
            raise InvalidParameter(said, Text(f"`{said}` steht mehrfach da: nur einmal angeben", f"`{said}` is given twice: give it once"))
        given[name] = text
    return given


def unknown(name: str, known: Sequence[str]) -> InvalidParameter:
    """A parameter that is not among `known`, with the one that may have been meant, or all there are."""
    said = name[:100]
    return InvalidParameter(said, Text(f"`{said}` gibt es hier nicht: ", f"`{said}` is no parameter here: ") + hint(name, known))


def read_names(parameter: str, names: Sequence[str], collection: Collection) -> list[Property]:
    """Properties that the collection shows, each named once; raises `InvalidParameter`."""
    shown = {p.name: p for p in collection.description.properties}
    for number, name in enumerate(names):
        said = name[:100]
        if name not in shown:
            is_none = Text(f"`{said}` ist kein Merkmal: ", f"`{said}` is no property: ")
            raise InvalidParameter(parameter, is_none + hint(name, list(shown)))
        if name in names[:number]:
            raise InvalidParameter(
                parameter, Text(f"`{said}` steht mehrfach da: nur einmal nennen", f"`{said}` is named twice: name it once")
            )
    return [shown[name] for name in names]


def hint(name: str, known: Sequence[str]) -> Text:
    """The one of `known` that may have been meant, or all there are."""
    near = get_close_matches(name[:100], known, 1)
    if near:
        return Text(f"meinten Sie `{near[0]}`?", f"did you mean `{near[0]}`?")
    every = ", ".join(f"`{k}`" for k in known)
    return Text(f"bekannt sind {every}", f"known are {every}") if known else Text("keiner ist bekannt", "none is known")
