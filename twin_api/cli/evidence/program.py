"""What the evidence was taken with: versions of the program, of Python, of the database."""

from __future__ import annotations

import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

from twin_api.cli.doctor.patient import Patient
from twin_api.publish.migrate import revision_of
from twin_api.settings import PROJECT

SBOM = PROJECT / "dist" / "twin-api.cdx.json"  # where `make sbom` writes it


def tell_program(patient: Patient) -> dict[str, Any]:
    """The revision only where the program runs from a checkout."""
    row = patient.administrator.execute(
        "SELECT current_setting('server_version'), (SELECT extversion FROM pg_extension WHERE extname = 'postgis')"
    ).fetchone()
    postgres, postgis = row or (None, None)
    return {
        "twin_api": version("twin-api"), "python": platform.python_version(), "postgresql": postgres, "postgis": postgis,
        "migration": revision_of(patient.administrator), "checkout": _checkout(PROJECT),
    }  # fmt: skip


def _checkout(folder: Path) -> dict[str, Any] | None:
    git = shutil.which("git")
    if git is None or not (folder / ".git").exists():
        return None
    revision, changes = (_said(git, folder, *words) for words in (("rev-parse", "HEAD"), ("status", "--porcelain", "--untracked-files=no")))
    return None if revision is None else {"revision": revision, "is_changed": bool(changes)}


def _said(git: str, folder: Path, *words: str) -> str | None:
    done = subprocess.run([git, "-C", str(folder), *words], check=False, capture_output=True, text=True, timeout=30)  # noqa: S603  # no shell
    return done.stdout.strip() if done.returncode == 0 else None
