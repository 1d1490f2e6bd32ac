"""The table of planted leaks at the end of a run."""

from __future__ import annotations

from typing import Any

import pytest

from tests.leaks.planted import CAUGHT, PLANTED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Which proof caught which planted leak."""
    if not CAUGHT:
        return
    terminalreporter.section("planted leaks")
    for leak in PLANTED:
        if leak.name in CAUGHT:
            by = ", ".join(CAUGHT[leak.name]) or "NOT CAUGHT"
            terminalreporter.write_line(f"  {leak.channel:>2}  {leak.name:<62} {by}")
    terminalreporter.write_line(
        f"  {sum(bool(by) for by in CAUGHT.values())} of {len(CAUGHT)} planted leaks caught; there are {len(PLANTED)}"
    )


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """What a worker has caught is told to whoever prints the table."""
    outcome = yield
    leak = getattr(item, "callspec", None) and item.callspec.params.get("leak")
    if call.when == "call" and leak is not None and leak.name in CAUGHT:
        outcome.get_result().user_properties.append(("caught", [leak.name, CAUGHT[leak.name]]))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    for name, value in report.user_properties:
        if name == "caught":
            CAUGHT[value[0]] = value[1]
