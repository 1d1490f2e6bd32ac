"""Words written so that the policy files' YAML reads them back exactly."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Final

from twin_api.policy.yaml_file import is_hidden, resolve

PLAIN: Final = re.compile(r"[^\W\d_][\w./ ²³-]*[\w./²³]|[^\W\d_]")
WIDTH: Final = 118


def scalar(text: str) -> str:
    """Without quotes only where nobody could take it for anything but this text."""
    return text if PLAIN.fullmatch(text) and resolve(text) == text else json.dumps(text, ensure_ascii=False)


def can_be_written(text: str) -> bool:
    """Whether all of it can be seen; YAML that people read holds nothing else."""
    return not any(is_hidden(letter) for letter in text if letter not in "\n\t")


def items(texts: Iterable[str]) -> str:
    return "[" + ", ".join(json.dumps(text, ensure_ascii=False) for text in texts) + "]"


def table(entries: Iterable[tuple[str, str]]) -> str:
    """One line of `{key: value}`, the values already written."""
    return "{" + ", ".join(f"{scalar(key)}: {value}" for key, value in entries) + "}"


def comment(text: str) -> str:
    """Nothing that could end a comment early."""
    return "# " + " ".join("".join(letter if letter.isprintable() else "?" for letter in text).split())
