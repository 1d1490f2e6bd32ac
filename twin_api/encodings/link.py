"""Links between resources (RFC 8288) as OGC API writes them in JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Link:
    href: str
    rel: str
    type: str
    title: str

    def as_json(self) -> dict[str, str]:
        return {key: value for key, value in asdict(self).items() if value}
