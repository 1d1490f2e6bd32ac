"""The guide to a public address on a whole server: a fresh Debian 12 in a folder, with its own packages, users, PostgreSQL, network and processes."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from tests.deploy.guide import PROJECT, Block, Reader, blocks
from tests.deploy.programs import HOST
from tests.imports.certificates import Certificates, found

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(os.geteuid() != 0 or shutil.which("debootstrap") is None, reason="not run: it wants root and debootstrap"),
]
CERTIFICATES: Final = "/etc/ssl/certs/ca-certificates.crt"  # this machine's way to packages may have an authority of its own
HANDED_ON: Final = ("http_proxy", "https_proxy", "no_proxy", "PIP_INDEX_URL", "PIP_CERT", "PIP_DEFAULT_TIMEOUT")


class Debian:
    """A Debian 12 in a folder, of its own. Until `leave_network` it has this machine's network, for packages; then one that leads nowhere."""

    def __init__(self, root: Path) -> None:
        self._root, self._inside = root, ["--mount", "--pid"]
        for name in ("resolv.conf", "hosts"):
            shutil.copyfile(f"/etc/{name}", root / "etc" / name)
        with (root / "etc/hosts").open("a") as hosts:
            hosts.write(f"\n127.0.0.1 {HOST}\n")
        (root / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")  # nothing is started by packages: there is no systemd
        (root / "usr/sbin/policy-rc.d").chmod(0o755)
        told = {name: os.environ[name] for name in HANDED_ON if name in os.environ}
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        self.environment: Mapping[str, str] = {
            "PATH": path,
            "HOME": "/root",
            "LANG": "C.UTF-8",
            "DEBIAN_FRONTEND": "noninteractive",
            **told,
        }
        ports = "/proc/sys/net/ipv4/ip_unprivileged_port_start"  # Caddy's own user may open 80 and 443
        begin = f"mount --bind /dev {root}/dev; mount -t proc proc {root}/proc; ip link set lo up; echo 0 >{ports}; exec sleep infinity"
        self._first = subprocess.Popen(["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "sh", "-c", begin])

    def here(self, text: str) -> str:
        return text

    def file(self, path: str) -> Path:
        return self._root / path.lstrip("/")

    def command(self, words: Sequence[str], user: str = "") -> list[str]:
        as_user = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []
        return ["nsenter", f"--target={self.process(self._first)}", *self._inside, "chroot", str(self._root), *as_user, *words]

    def process(self, started: subprocess.Popen[bytes]) -> int:
        """What `nsenter` or `unshare` has started inside; they hand no signal on."""
        return int(Path(f"/proc/{started.pid}/task/{started.pid}/children").read_text().split()[0])

    def leave_network(self) -> None:
        self._inside = ["--mount", "--pid", "--net"]

    def trust(self, certificates: Certificates) -> None:
        for source, name in ((CERTIFICATES, "machine"), (str(certificates.authority), "tests")):
            (self._root / "usr/local/share/ca-certificates").mkdir(parents=True, exist_ok=True)
            for number, one in enumerate(Path(source).read_text().split("-----BEGIN CERTIFICATE-----")[1:]):
                (self._root / f"usr/local/share/ca-certificates/{name}-{number}.crt").write_text(f"-----BEGIN CERTIFICATE-----{one}")

    def raze(self) -> None:
        self._first.kill()  # and with it everything inside
        self._first.wait(20)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Debian]:
    bootstrap = ["debootstrap", "--variant=minbase", "bookworm", str(tmp_path / "debian")]
    subprocess.run(bootstrap, check=True, capture_output=True)
    debian = Debian(tmp_path / "debian")
    yield debian
    debian.raze()
    shutil.rmtree(tmp_path / "debian")


def follow(server: Debian, folder: Path) -> list[Block]:
    """The whole guide. What it leaves to systemd and to Let's Encrypt is done at the place where it would be."""
    certificates = found(folder)
    certificates.server(HOST)
    server.trust(certificates)
    subprocess.run(["git", "clone", "--quiet", "--bare", str(PROJECT), str(server.file("/root/source.git"))], check=True)
    done: list[Block] = []
    with ExitStack() as stack:

        def start_caddy() -> None:
            shutil.copyfile(certificates.folder / f"{HOST}.pem", server.file("/etc/ssl/twin.pem"))
            written = server.file("/etc/caddy/Caddyfile")
            text = written.read_text(encoding="utf-8")
            written.write_text(text.replace(f"{HOST} {{", f"{HOST} {{\n\ttls /etc/ssl/twin.pem /etc/ssl/twin.pem"), encoding="utf-8")
            command = server.command(["caddy", "run", "--config", "/etc/caddy/Caddyfile"], "caddy")
            process = subprocess.Popen(command, env={**server.environment, "HOME": "/var/lib/caddy"})
            stack.callback(process.terminate)

        def upon(block: Block) -> None:
            done.append(block)
            if block.remark == "server" and "deploy/install" in block.text:
                server.leave_network()
                subprocess.run(server.command(["pg_ctlcluster", "15", "main", "start"]), check=True)

        reader = Reader(server, {"adresse": HOST, "quelle": "/root/source.git"}, frozenset({"yours"}), {"caddy": start_caddy})
        stack.callback(reader.units.stop)
        reader.follow(upon)
    return done


def test_the_guide_leads_from_an_empty_server_to_a_public_address(server: Debian, tmp_path: Path) -> None:
    assert len(follow(server, tmp_path)) == len(blocks()) - 1
