"""Run by the system's own Python, which has QGIS: count what QGIS reads of each collection of a twin.

Its standard input is JSON: `address`, `token` (may be empty), `collections`; its output a JSON object from collection to what QGIS says of it.
"""

from __future__ import annotations

import json
import sys

from qgis.core import Qgis, QgsApplication, QgsFeatureRequest, QgsNetworkAccessManager, QgsVectorLayer


def main() -> None:
    told = json.load(sys.stdin)
    application = QgsApplication([], False)
    application.initQgis()
    if told["token"]:
        header = f"Bearer {told['token']}".encode()
        QgsNetworkAccessManager.setRequestPreprocessor(lambda request: request.setRawHeader(b"Authorization", header))
    found = {name: read(told["address"], name) for name in told["collections"]}
    print(json.dumps({"version": Qgis.QGIS_VERSION, "found": found}))
    application.exitQgis()


def read(address: str, name: str) -> dict[str, object]:
    def layer() -> QgsVectorLayer:
        return QgsVectorLayer(f"url='{address}' typename='{name}' pageSize='100'", name, "OAPIF")

    whole = layer()
    if not whole.isValid():
        return {"error": whole.dataProvider().error().message() if whole.dataProvider() else "not valid"}
    features = list(whole.getFeatures())
    told = {"count": whole.featureCount(), "read": len(features), "crs": whole.crs().authid(), "fields": whole.fields().names()}
    told["placed"] = sum(feature.hasGeometry() for feature in features)
    placed = next((feature for feature in features if feature.hasGeometry()), None)
    if placed is not None:  # those around the first one
        box = placed.geometry().boundingBox().buffered(0.0005)
        told["box"] = [box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum()]
        told["in_box"] = sum(1 for _ in layer().getFeatures(QgsFeatureRequest(box)))
    return told


main()
