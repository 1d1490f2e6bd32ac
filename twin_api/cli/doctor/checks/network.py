"""Whether servers listen where they should, links lead where citizens get, and sources are fetched from where it is allowed."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Final
from urllib.parse import urlsplit

from twin_api.cli.doctor.check import Check
from twin_api.cli.doctor.finding import Finding, Unseen, fault, named, warning
from twin_api.cli.doctor.patient import Patient
from twin_api.cli.doctor.running import listeners, running
from twin_api.imports.fetching.reach import Reach, Url
from twin_api.imports.finding import FileRefused
from twin_api.imports.sources.file import read_sources
from twin_api.texts import Text

_CLAIMED: Final = Text("wer von dort kommt, darf sich als jeder andere ausgeben", "whoever comes from there may claim to be anybody else")
_REACHED: Final = Text("eine Quelle könnte in Netze greifen, in die sie nicht soll", "a source might reach into networks it should not")
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


def look(patient: Patient) -> Iterator[Finding]:
    settings = patient.settings
    yield from _base_url(settings.base_url)
    yield from _listening()
    if settings.metrics_host not in LOOPBACK and (settings.metrics_port or settings.work_metrics_port):
        yield warning(
            Text(f"Metriken sind auf {named(settings.metrics_host)} zu lesen", f"metrics can be read at {named(settings.metrics_host)}"),
            Text("sie zählen, was alle Rollen tun, und kein Token schützt sie", "they count what all roles do, and no token guards them"),
            "export TWIN_METRICS_HOST=127.0.0.1",
        )
    yield from _networks("TWIN_TRUSTED_PROXIES", settings.trusted_proxies, _CLAIMED, "export TWIN_TRUSTED_PROXIES=127.0.0.1")
    yield from _networks("TWIN_SOURCE_NETWORKS", settings.source_networks, _REACHED, "export TWIN_SOURCE_NETWORKS=10.20.0.0/16")
    yield from _reach(patient)


def _base_url(said: str) -> Iterator[Finding]:
    if not said:
        return
    address, example = urlsplit(said), "export TWIN_BASE_URL=https://zwilling.example.de"
    if address.scheme not in ("http", "https") or not address.hostname or address.query or address.fragment:
        yield fault(
            Text(f"`TWIN_BASE_URL` ist keine Webadresse: {named(said)}", f"`TWIN_BASE_URL` is no web address: {named(said)}"),
            Text("alle Verweise führen ins Leere", "all links lead nowhere"),
            example,
        )
    elif address.scheme == "http" and address.hostname not in LOOPBACK:
        yield warning(
            Text(f"`TWIN_BASE_URL` ist unverschlüsselt: {named(said)}", f"`TWIN_BASE_URL` is not encrypted: {named(said)}"),
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


def _networks(setting: str, said: str, why: Text, example: str) -> Iterator[Finding]:
    """Networks as wide as a continent are nobody's own."""
    for word in filter(None, (word.strip() for word in said.split(","))):
        try:
            is_wide = ip_network(word, strict=False).prefixlen < 8
        except ValueError:
            yield fault(Text(f"`{setting}`: {named(word)} ist kein Netz", f"`{setting}`: {named(word)} is no network"), why, example)
        else:
            if is_wide:
                yield fault(Text(f"`{setting}` umfasst {named(word)}", f"`{setting}` spans {named(word)}"), why, example)


def _reach(patient: Patient) -> Iterator[Finding]:
    settings = patient.settings
    try:
        reach = Reach.of(settings.source_hosts, settings.source_networks)
    except FileRefused as refused:
        for finding in refused.findings:
            yield fault(finding.what, Text("keine Quelle wird geholt", "no source is fetched"), finding.remedy)
        return
    if settings.source_ca is not None and not settings.source_ca.is_file():
        yield fault(
            Text(
                f"`TWIN_SOURCE_CA`: {named(settings.source_ca)} gibt es nicht",
                f"`TWIN_SOURCE_CA`: there is no {named(settings.source_ca)}",
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
        "worauf Server hören, `TWIN_BASE_URL`, Metriken, `TWIN_TRUSTED_PROXIES`, woher Quellen geholt werden dürfen",
        "what servers listen on, `TWIN_BASE_URL`, metrics, `TWIN_TRUSTED_PROXIES`, where sources may be fetched from",
    ),
    look,
)
