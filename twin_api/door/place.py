"""Where the house stands: at the top of its address, or below a path that a proxy or an application around it has set."""

from __future__ import annotations

from starlette.types import Scope


def path_in(scope: Scope) -> str:
    """The path that was asked for, as the house knows it."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path[len(root) :] if path == root or path.startswith(f"{root}/") else path


def home_of(scope: Scope, base_url: str) -> str:
    """The address where the house begins, without a slash at its end; only a path where the setting names none."""
    return base_url.rstrip("/") or scope.get("root_path", "")


def family_in(scope: Scope) -> str:
    """The first word of the path that was asked for: a family of roles, or an address of the house's own."""
    return path_in(scope).removeprefix("/").partition("/")[0]
