"""Who holds what in compose.yaml: the citizens' server nothing but its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

PROJECT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = YAML(typ="safe").load(PROJECT / "compose.yaml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def _mounted(name: str) -> set[str]:
    return {volume.split(":")[0] for volume in SERVICES[name].get("volumes", ())}


def _who_mounts(volume: str) -> set[str]:
    return {name for name in SERVICES if volume in _mounted(name)}


def test_the_citizens_server_holds_one_secret_and_no_policies() -> None:
    assert SERVICES["citizen"]["volumes"] == ["handed-citizen:/run/twin/citizen:ro"]
    assert SERVICES["citizen"]["build"]["target"] == "citizen"
    assert "TWIN_DATABASE_URL" not in SERVICES["citizen"]["environment"]


def test_the_administrators_password_goes_to_the_migration_and_to_commands_alone() -> None:
    assert _who_mounts("administrator") == {"store", "migrate", "command"}
    assert _who_mounts("secrets") == {"migrate", "command", "work"}
    assert _who_mounts("data") == {"store"}
    assert "passfile" not in SERVICES["work"]["environment"]["TWIN_DATABASE_URL"]


def test_servers_only_read_what_they_were_handed() -> None:
    for name in ("api", "citizen"):
        assert all(volume.endswith(":ro") for volume in SERVICES[name]["volumes"])


def test_the_citizens_server_meets_the_store_alone() -> None:
    networks = SERVICES["citizen"]["networks"]
    met = {name for name, service in SERVICES.items() if name != "citizen" and set(service["networks"]) & set(networks)}
    assert met == {"store"}
    assert COMPOSE["networks"]["store"]["internal"]
    assert COMPOSE["networks"]["store-citizen"]["internal"]


def test_nothing_listens_outside_this_machine_and_the_store_nowhere() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"api", "citizen"}
    assert all(port.startswith("127.0.0.1:") for service in SERVICES.values() for port in service.get("ports", ()))


def test_every_container_is_closed_and_bounded() -> None:
    for name, service in SERVICES.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        if name != "command":
            assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}, name


def test_every_volume_and_network_that_is_named_exists_and_is_used() -> None:
    named = {name for service in SERVICES for name in _mounted(service) if not name.startswith("$")}
    assert named == COMPOSE["volumes"].keys()
    assert {network for service in SERVICES.values() for network in service["networks"]} == COMPOSE["networks"].keys()


def test_servers_and_worker_wait_for_the_migration_and_that_for_the_store() -> None:
    assert SERVICES["migrate"]["depends_on"] == {"store": {"condition": "service_healthy"}}
    for name in ("work", "api", "citizen"):
        assert SERVICES[name]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert all("healthcheck" in SERVICES[name] for name in ("store", "api", "citizen"))
