"""What the proofs share, and the table of planted leaks at the end of a run."""

from __future__ import annotations

from typing import Any

from tests.leaks.planted import CAUGHT, PLANTED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Which proof caught which planted leak."""
    if not CAUGHT:
        return
    terminalreporter.section("planted leaks")
    for planted in PLANTED:
        if planted.name in CAUGHT:
            by = ", ".join(CAUGHT[planted.name]) or "NOT CAUGHT"
            terminalreporter.write_line(f"  {planted.name:<62} {by}")
    terminalreporter.write_line(f"  {sum(bool(by) for by in CAUGHT.values())} of {len(CAUGHT)} planted leaks caught")
