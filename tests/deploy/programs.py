"""nginx and Caddy as programs of a test: no service of the machine, everything in a folder of the test's own, on free ports."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.imports.certificates import Certificates
from twin_api.settings import Settings

DEPLOY = Path(__file__).parents[2] / "deploy"
HOST = "twin.example"
PATH = f"{os.environ['PATH']}:/usr/local/sbin:/usr/sbin:/sbin"


def program(name: str) -> str:
    """Where the program is; without it the test is skipped, or fails where everything is required."""
    found = shutil.which(name, path=PATH)
    if found is None:
        reason = f"not run: there is no {name} (apt-get install {name})"
        pytest.fail(reason) if Settings().require_testdata else pytest.skip(reason)
    return found


def free_ports(count: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def edited(text: str, changes: Mapping[str, str]) -> str:
    """The text with every change made; each must have something to change."""
    for before, after in changes.items():
        assert before in text, f"{before!r} is not in the example"
        text = text.replace(before, after)
    return text


class Client(httpx.Client):
    """Speaks to a proxy on this machine as if it were the town's host; trusts the tests' authority alone."""

    def __init__(self, https: int, trust: ssl.SSLContext, **headers: str) -> None:
        super().__init__(base_url=f"https://127.0.0.1:{https}", verify=trust, headers={"Host": HOST, **headers}, timeout=20)

    def build_request(self, *told: Any, **named: Any) -> httpx.Request:
        request = super().build_request(*told, **named)
        request.extensions["sni_hostname"] = HOST
        return request


@dataclass(frozen=True)
class Proxy:
    name: str
    http: int
    https: int
    trust: ssl.SSLContext

    def client(self, **headers: str) -> Client:
        return Client(self.https, self.trust, **headers)


@contextmanager
def proxy(name: str, folder: Path, certificates: Certificates, citizen: int, others: int, **changes: str) -> Iterator[Proxy]:
    """The example of `deploy/` for this program, with only ports, certificate and folder changed, and what the test asks for besides."""
    folder.mkdir(parents=True)
    certificates.server(HOST)
    http, https = free_ports(2)
    there = {
        "/etc/ssl/twin-api/certificate.pem": str(certificates.folder / f"{HOST}.pem"),
        "/etc/ssl/twin-api/key.pem": str(certificates.folder / f"{HOST}.pem"),
        "127.0.0.1:8001": f"127.0.0.1:{citizen}",
        "127.0.0.1:8002": f"127.0.0.1:{others}",
        "127.0.0.1:8003": f"127.0.0.1:{others}",
    }
    start = {"nginx": _nginx, "caddy": _caddy}[name]
    with start(folder, http, https, there | changes):
        yield Proxy(name, http, https, ssl.create_default_context(cafile=certificates.authority))


@contextmanager
def _nginx(folder: Path, http: int, https: int, changes: Mapping[str, str]) -> Iterator[None]:
    lines = [line for line in (DEPLOY / "nginx" / "twin-api.conf").read_text().splitlines() if "listen [::]:" not in line]
    ports = {
        "listen 443 ": f"listen 127.0.0.1:{https} ",
        "listen 80": f"listen 127.0.0.1:{http}",
        "/var/cache/nginx/twin": f"{folder}/cache",
    }
    with nginx(folder, edited("\n".join(lines), ports | changes), [http, https]):
        yield


@contextmanager
def nginx(folder: Path, inside_http: str, ports: Sequence[int]) -> Iterator[None]:
    """nginx with this text inside `http { … }`, checked by `nginx -t` first."""
    temporary = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root;" if os.geteuid() == 0 else ""
    config = folder / "nginx.conf"
    config.write_text(
        f"{user} daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;\n"
        f"events {{ worker_connections 512; }}\nhttp {{ access_log off;\n{temporary}\n{inside_http}\n}}\n"
    )
    command = [program("nginx"), "-p", str(folder), "-c", str(config)]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    assert "[warn]" not in checked.stderr, checked.stderr
    with _running(command, folder, ports):
        yield


@contextmanager
def _caddy(folder: Path, http: int, https: int, changes: Mapping[str, str]) -> Iterator[None]:
    with caddy(folder, edited((DEPLOY / "caddy" / "Caddyfile").read_text(), changes), http, https):
        yield


@contextmanager
def caddy(folder: Path, text: str, http: int, https: int) -> Iterator[None]:
    """Caddy with this Caddyfile on these ports, checked by `caddy validate` first."""
    ports = {"\tadmin off": f"\tdefault_bind 127.0.0.1\n\thttp_port {http}\n\thttps_port {https}\n\tadmin off"}
    config = folder / "Caddyfile"
    config.write_text(edited(text, ports))
    home = dict(os.environ, HOME=str(folder), XDG_DATA_HOME=str(folder), XDG_CONFIG_HOME=str(folder))
    told = ["--config", str(config), "--adapter", "caddyfile"]
    checked = subprocess.run([program("caddy"), "validate", *told], capture_output=True, text=True, env=home)
    assert checked.returncode == 0, checked.stderr
    assert "not formatted" not in subprocess.run([program("caddy"), "adapt", *told], capture_output=True, text=True, env=home).stderr
    with _running([program("caddy"), "run", *told], folder, [http, https], home):
        yield


@contextmanager
def _running(command: Sequence[str], folder: Path, ports: Sequence[int], environment: Mapping[str, str] | None = None) -> Iterator[None]:
    with (folder / "output").open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
    try:
        for port in ports:
            _wait_for(port, process, folder)
        yield
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError((folder / "output").read_text())
