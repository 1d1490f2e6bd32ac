"""How much of everything: the share of each layer, and how it grows with the size asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ORIGIN: Final = (678_000.0, 5_540_000.0)  # EPSG:25832, the fountain on the market square
AGS: Final = "09572999"  # by which policies say that they are Musterdorf's; no town of the real world has it
SMALLEST: Final = 5_000
BY_DEFAULT: Final = 30_000
SHARES: Final = {  # features by default; the second number is the power of the size with which they grow
    "gemeindegebiet": (1, 0.0), "ortsteile": (8, 0.0), "flurstuecke": (5_000, 1.0), "strassen": (600, 1.0),
    "hindernisse": (30, 0.6), "gebaeude": (5_200, 1.0), "baeume": (4_500, 1.0), "strassenlaternen": (2_300, 1.0),
    "sinkkaesten": (2_600, 1.0), "kanalschaechte": (2_200, 1.0), "kanalhaltungen": (2_100, 1.0), "wassernetz": (900, 1.0),
    "stromnetz": (420, 1.0), "hydranten": (650, 1.0), "leerstaende": (120, 1.0), "bauvorhaben": (60, 1.0), "tagesordnung": (320, 1.0),
    "hochwasser_hq100": (40, 0.5), "hochwasser_gebaeude": (400, 0.75), "passanten": (2_400, 1.0), "schulen": (9, 0.3),
    "spielplaetze": (18, 0.6),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """`size` is the number of features in all, met within a tenth."""

    seed: int
    size: int

    @property
    def scale(self) -> float:
        return self.size / BY_DEFAULT

    @property
    def radius_m(self) -> float:
        """From the market to the boundary; the area grows with the size, the density does not."""
        return float(2_400 * self.scale**0.5)

    def count(self, layer: str) -> int:
        share, power = SHARES[layer]
        return max(1, round(float(share * self.scale**power)))
