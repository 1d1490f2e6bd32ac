"""Whether servers listen where they should, links lead where citizens get, and sources are fetched from where it is allowed."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Final
from urllib.parse import urlsplit

from twin_api.cli.doctor.check import Check
from twin_api.cli.doctor.finding import Finding, Unseen, fault, warning
from twin_api.cli.doctor.patient import Patient
from twin_api.cli.doctor.running import listeners, running
from twin_api.imports.fetching.reach import Reach, Url
from twin_api.imports.finding import FileRefused
from twin_api.imports.sources.file import read_sources
from twin_api.policy.finding import quoted
from twin_api.settings import Settings
from twin_api.texts import Text

LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


def look(patient: Patient) -> Iterator[Finding]:
    yield from _base_url(patient.settings.base_url)
    yield from _listening()
    yield from _reach(patient.settings, patient)


def _base_url(said: str) -> Iterator[Finding]:
    if not said:
        return
    address, example = urlsplit(said), "export TWIN_BASE_URL=https://zwilling.example.de"
    if address.scheme not in ("http", "https") or not address.hostname or address.query or address.fragment:
        yield fault(
            Text(f"`TWIN_BASE_URL` ist keine Webadresse: {quoted(said)}", f"`TWIN_BASE_URL` is no web address: {quoted(said)}"),
            Text("alle Verweise führen ins Leere", "all links lead nowhere"),
            example,
        )
    elif address.scheme == "http" and address.hostname not in LOOPBACK:
        yield warning(
            Text(f"`TWIN_BASE_URL` ist unverschlüsselt: {quoted(said)}", f"`TWIN_BASE_URL` is not encrypted: {quoted(said)}"),
            Text(
                "Token von Rat und Verwaltung gingen im Klartext durchs Netz",
                "tokens of council and administration would cross the network in clear",
            ),
            example,
        )


def _listening() -> Iterator[Finding]:
    for port, pid in sorted({(each.port, each.pid) for process in running() for each in listeners(process) if each.everywhere}):
        yield warning(
            Text(f"Prozess {pid} hört auf Port {port} aller Netze", f"process {pid} listens on port {port} of all networks"),
            Text(
                "ohne Proxy davor ist dort nichts verschlüsselt, und jeder im Netz kommt an ihn heran",
                "without a proxy in front nothing is encrypted there, and everybody on the network reaches it",
            ),
            "twin serve --host 127.0.0.1",
        )


def _reach(settings: Settings, patient: Patient) -> Iterator[Finding]:
    try:
        reach = Reach.of(settings.source_hosts, settings.source_networks)
    except FileRefused as refused:
        for finding in refused.findings:
            yield fault(finding.what, Text("keine Quelle wird geholt", "no source is fetched"), finding.remedy)
        return
    for network in filter(None, (word.strip() for word in settings.source_networks.split(","))):
        if ip_network(network, strict=False).prefixlen < 8:
            yield warning(
                Text(f"`TWIN_SOURCE_NETWORKS` umfasst {quoted(network)}", f"`TWIN_SOURCE_NETWORKS` spans {quoted(network)}"),
                Text(
                    "eine Quelle könnte in innere Netze greifen, in die sie nicht soll",
                    "a source might reach into inner networks it should not",
                ),
                "export TWIN_SOURCE_NETWORKS=10.20.0.0/16",
            )
    if settings.source_ca is not None and not settings.source_ca.is_file():
        yield fault(
            Text(
                f"`TWIN_SOURCE_CA`: {quoted(settings.source_ca)} gibt es nicht",
                f"`TWIN_SOURCE_CA`: there is no {quoted(settings.source_ca)}",
            ),
            Text("keine Quelle wird geholt", "no source is fetched"),
            f"ls -l {settings.source_ca}",
        )
    try:
        sources, _ = read_sources(settings.sources_folder, patient.policies)
    except Unseen:
        return
    for name, source in sources.items():
        if source.whence.address is not None:
            yield from _reachable(name, source.whence.address, reach)


def _reachable(name: str, address: str, reach: Reach) -> Iterator[Finding]:
    try:
        reach.check(Url.of(address))
    except FileRefused as refused:
        found = refused.findings[0]
        yield fault(
            Text(f"`{name}`: {found.what.de}", f"`{name}`: {found.what.en}"),
            Text("sie wird nie geholt", "it is never fetched"),
            found.remedy,
        )


CHECK = Check(
    "network",
    Text("Netz: Adressen und Reichweite", "Network: addresses and reach"),
    Text(
        "worauf Server hören, `TWIN_BASE_URL`, woher Quellen geholt werden dürfen",
        "what servers listen on, `TWIN_BASE_URL`, where sources may be fetched from",
    ),
    look,
)
