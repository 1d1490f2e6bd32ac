"""Files of other people's servers, fetched over HTTP into a private folder: from allowed hosts only, within bounds of size and time.

Must never connect to an address that was not checked, follow anybody elsewhere, or believe what a server says of its own size.
"""

from __future__ import annotations

import hashlib
import os
import socket
import ssl
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import certifi
import httpcore

from twin_api.imports.fetching.body import unpacked
from twin_api.imports.fetching.pinned import AGAIN, STALL_S, Budget, Pinned, Resolve
from twin_api.imports.fetching.reach import Reach, Url
from twin_api.imports.finding import FileRefused, refuse
from twin_api.policy.finding import quoted
from twin_api.texts import Text

REDIRECTS: Final = 5
REDIRECTED: Final = (301, 302, 303, 307, 308)
TIMEOUTS: Final = dict.fromkeys(("connect", "read", "write", "pool"), STALL_S)
CONDITIONS: Final = ("if-none-match", "if-modified-since")


@dataclass(frozen=True, slots=True)
class Answer:
    """`unchanged`: by the conditions in the request the server says that nothing has changed, and there is no file."""

    headers: Mapping[str, str]  # names in small letters
    path: Path
    sha256: str = ""
    size: int = 0
    unchanged: bool = False


def resolve(host: str, port: int) -> Iterable[str]:
    """What the name leads to now, by the machine's own resolver."""
    return dict.fromkeys(str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))


class Fetcher:
    """Fetches for one source: one host, one budget, one folder. Close it, or use it in a `with`."""

    def __init__(self, reach: Reach, folder: Path, budget: Budget, resolve: Resolve = resolve) -> None:
        self._reach, self._folder, self._budget = reach, folder, budget
        self._pool = httpcore.ConnectionPool(
            ssl_context=_trust(reach.authorities), max_connections=1, network_backend=Pinned(reach, budget, resolve)
        )

    def __enter__(self) -> Fetcher:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.close()

    def get(self, url: Url, name: str, headers: Mapping[str, str] | None = None) -> Answer:
        """The answer as the file `name` in the folder. Redirects are followed within the host. Raises `FileRefused`."""
        first, asked = url, headers or {}
        for _ in range(REDIRECTS + 1):
            self._reach.check(url)
            try:
                with self._stream(url, asked) as response:
                    said = _said(response.headers)
                    if response.status not in REDIRECTED:
                        return self._answer(url, response, said, name, conditional=any(word in asked for word in CONDITIONS))
            except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, socket.gaierror) as error:
                raise _broken(url, error, self._budget) from None
            url = _next(first, url, said)
        raise refuse(Text(f"{quoted(first.host)} leitet im Kreis", f"{quoted(first.host)} redirects in circles"), AGAIN)

    def _stream(self, url: Url, headers: Mapping[str, str]) -> AbstractContextManager[httpcore.Response]:
        address = httpcore.URL(scheme=url.scheme, host=url.host.strip("[]"), port=url.port, target=url.target)
        ours = {"host": url.authority, "accept": "*/*", "accept-encoding": "gzip", "user-agent": "twin-api"}
        return self._pool.stream("GET", address, headers=list((ours | dict(headers)).items()), extensions={"timeout": TIMEOUTS})

    def _answer(self, url: Url, response: httpcore.Response, said: Mapping[str, str], name: str, *, conditional: bool) -> Answer:
        if response.status == 304 and conditional:
            return Answer(said, self._folder / name, unchanged=True)
        if response.status != 200:
            raise refuse(
                Text(f"{quoted(url.host)} antwortet mit {response.status}", f"{quoted(url.host)} answers with {response.status}"),
                Text("Adresse prüfen oder später noch einmal versuchen", "check the address, or try again later"),
            )
        announced = said.get("content-length", "")[:20]
        if announced.isdecimal() and int(announced) > self._budget.left:
            self._budget.spend(int(announced))
        path, digest, size = self._folder / name, hashlib.sha256(), 0
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            for chunk in unpacked(response.iter_stream(), said.get("content-encoding", "identity")):
                self._budget.spend(len(chunk))
                self._budget.wait()
                digest.update(chunk)
                size += file.write(chunk)
        return Answer(said, path, digest.hexdigest(), size)


def _trust(authorities: Path | None) -> ssl.SSLContext:
    """The machine's certificates, those of the public web where it has none, and the town's own."""
    context, known = ssl.create_default_context(), ssl.get_default_verify_paths()
    if not known.cafile and not (known.capath and any(Path(known.capath).iterdir())):
        context.load_verify_locations(certifi.where())
    if authorities is not None:
        context.load_verify_locations(authorities)
    return context


def _said(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}


def _next(first: Url, url: Url, said: Mapping[str, str]) -> Url:
    """Where a redirect leads, which must be the same host."""
    target = url.join(said.get("location", ""))
    if target.host != first.host:
        raise refuse(
            Text(f"{quoted(first.host)} verweist an {quoted(target.host)}", f"{quoted(first.host)} redirects to {quoted(target.host)}"),
            Text("die Adresse eintragen, unter der die Daten wirklich liegen", "give the address where the data really are"),
        )
    return target


def _broken(url: Url, error: Exception, budget: Budget) -> FileRefused:
    host = quoted(url.host)
    if isinstance(error, socket.gaierror):
        return refuse(Text(f"einen Rechner {host} gibt es nicht", f"there is no host {host}"), Text("Adresse prüfen", "check the address"))
    if isinstance(error, httpcore.TimeoutException):
        budget.wait()  # which says so itself if that was all the time there is
        return refuse(Text(f"{host} antwortet nicht", f"{host} does not answer"), AGAIN)
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return refuse(
            Text(f"{host} weist sich nicht gültig aus", f"{host} has no valid certificate"),
            Text("ein eigenes Zertifikat in `TWIN_SOURCE_CA` nennen", "name a certificate of your own in `TWIN_SOURCE_CA`"),
        )
    if isinstance(error, httpcore.ConnectError):
        return refuse(Text(f"{host} ist nicht zu erreichen", f"{host} cannot be reached"), AGAIN)
    return refuse(Text(f"die Antwort von {host} bricht ab", f"the answer of {host} breaks off"), AGAIN)
