"""Where something stands in the policy files, for whoever speaks of it after they have loaded.

Must never fail on what it does not find: the nearest place that is there is good enough for a person.
"""

from __future__ import annotations

from collections.abc import Mapping

from twin_api.policy.documents import Grant, Place
from twin_api.policy.finding import Findings
from twin_api.policy.yaml_file import Node, Table, read


class Places:
    """The places of keys in the texts that `Policies.files` kept."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files
        self._nodes: dict[str, Node | None] = {}

    def at(self, file: str, *keys: str) -> Place:
        """Where the last of the nested keys stands that is there."""
        node, place = self._node(file), Place(file, 1)
        for key in keys:
            if not isinstance(node, Table) or key not in node.entries:
                break
            place, node = node.places[key], node.entries[key]
        return place

    def in_grant(self, grant: Grant, *keys: str) -> Place:
        """Within the grant, in the file of the role that it stands in; the grant itself where it has no such entry."""
        _, _, part = grant.file_role.partition("/")
        above = ("parts", part) if part else ("collections",)
        found = self.at(grant.place.file, *above, grant.collection, *keys)
        return found if found.line >= grant.place.line else grant.place

    def line(self, place: Place) -> str:
        """The text of that line."""
        lines = self._files.get(place.file, "").splitlines()
        return lines[place.line - 1] if place.line <= len(lines) else ""

    def _node(self, file: str) -> Node | None:
        if file not in self._nodes:
            self._nodes[file] = read(self._files.get(file, "").encode(), file, Findings())
        return self._nodes[file]
