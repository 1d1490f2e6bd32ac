"""Texts for people in the languages of the house, German first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Language = Literal["de", "en"]
LANGUAGES: tuple[Language, ...] = ("de", "en")


@dataclass(frozen=True, slots=True)
class Text:
    """One text in German and English; the German one stands in where the other is missing."""

    de: str
    en: str = ""

    def say(self, language: Language) -> str:
        return self.en if language == "en" and self.en else self.de

    def __add__(self, other: Text) -> Text:
        """Both, one after the other, in each language."""
        return Text(self.de + other.de, self.say("en") + other.say("en"))

    def as_json(self) -> dict[str, str]:
        return {"de": self.de, "en": self.en or self.de}
