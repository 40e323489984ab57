"""What `docker-compose.yaml` and `kubernetes/` start: commands, variables, ports and probes that our program has."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from otel_humanloop.bridge import addresses
from otel_humanloop.cli import bridge, serve
from otel_humanloop.settings import SETTINGS, load

FOLDER = Path(__file__).parents[2] / "collector-config"
KUBERNETES = FOLDER / "kubernetes"
VARIABLES = {*(setting.variable for setting in SETTINGS), bridge.TOKEN_VARIABLE}

COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "docker-compose.yaml").read_text())


def manifest(name: str, kind: str) -> dict[str, Any]:
    documents = yaml.safe_load_all((KUBERNETES / name).read_text())
    (document,) = (each for each in documents if each["kind"] == kind)
    return document


def container(name: str, kind: str) -> dict[str, Any]:
    (only,) = manifest(name, kind)["spec"]["template"]["spec"]["containers"]
    return only


def parsed(command: list[str]) -> argparse.Namespace:
    """The command as our program understands it; SystemExit where it does not."""
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    for each in (serve, bridge):
        each.add(commands)
    return parser.parse_args(command)


def ports(command: argparse.Namespace) -> dict[str, int | None]:
    """Scheme -> port, of what it receives."""
    for url in command.receive:
        addresses.parse(url)
    return {urlsplit(url).scheme: urlsplit(url).port for url in command.receive}


def test_compose_starts_a_server_where_the_bridge_looks_for_it() -> None:
    server, beside = COMPOSE["services"]["server"], COMPOSE["services"]["bridge"]
    command = parsed(server["command"])
    assert command.host == "0.0.0.0"
    assert command.api_key
    settings = load(None, beside["environment"])
    assert settings.base_url == f"http://server:{command.port}/v4"
    assert [mapping.rpartition(":")[2] for mapping in server["ports"]] == [str(command.port)]


def test_compose_starts_a_bridge_where_the_collector_looks_for_it() -> None:
    beside, collector = COMPOSE["services"]["bridge"], COMPOSE["services"]["collector"]
    received = ports(parsed(beside["command"]))
    assert collector["environment"]["BRIDGE_ENDPOINT"] == f"http://bridge:{received['http']}"
    assert collector["environment"]["BRIDGE_TOKEN"] == beside["environment"][bridge.TOKEN_VARIABLE]
    assert f"http://127.0.0.1:{received['http']}/readyz" in beside["healthcheck"]["test"][-1]


def test_compose_says_only_what_the_bridge_reads() -> None:
    assert set(COMPOSE["services"]["bridge"]["environment"]) <= VARIABLES


def test_compose_waits_for_the_bridge_longer_than_the_bridge_for_humanloop() -> None:
    beside = COMPOSE["services"]["bridge"]
    assert load(None, beside["environment"]).shutdown_timeout < float(beside["stop_grace_period"].removesuffix("s"))


def test_the_cluster_starts_a_bridge_at_the_ports_it_names() -> None:
    bridges = container("bridge.yaml", "StatefulSet")
    named = {port["name"]: port["containerPort"] for port in bridges["ports"]}
    assert ports(parsed(bridges["args"])) == named
    for probe, path in (("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
        assert bridges[probe]["httpGet"] == {"path": path, "port": "http"}
    service = manifest("bridge.yaml", "Service")
    assert {port["name"]: port["port"] for port in service["spec"]["ports"]} == named


def test_the_cluster_says_only_what_the_bridge_reads() -> None:
    bridges = container("bridge.yaml", "StatefulSet")
    assert {each["name"] for each in bridges["env"]} <= VARIABLES
    said = {each["name"]: each["value"] for each in bridges["env"] if "value" in each}
    grace = manifest("bridge.yaml", "StatefulSet")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert load(None, said).shutdown_timeout < grace


def test_what_is_kept_is_kept_in_a_volume() -> None:
    recipe = (FOLDER / "Dockerfile").read_text()
    assert "ENV XDG_DATA_HOME=/data" in recipe
    assert [mount["mountPath"] for mount in container("bridge.yaml", "StatefulSet")["volumeMounts"]] == ["/data"]
    for name in ("server", "bridge"):
        assert [volume.rpartition(":")[2] for volume in COMPOSE["services"][name]["volumes"]] == ["/data"]
    user = manifest("bridge.yaml", "StatefulSet")["spec"]["template"]["spec"]["securityContext"]["runAsUser"]
    assert f"--uid {user} " in recipe


def test_one_collector_everywhere() -> None:
    deployed = container("collector.yaml", "Deployment")["image"]
    assert COMPOSE["services"]["collector"]["image"] == deployed


@pytest.mark.collector
@pytest.mark.parametrize("name", ["bridge.yaml", "collector.yaml"])
def test_the_cluster_would_take_it(name: str) -> None:
    kubernetes = pytest.importorskip("kubernetes_validate", reason="pip install kubernetes-validate")
    for document in yaml.safe_load_all((KUBERNETES / name).read_text()):
        kubernetes.validate(document, kubernetes.latest_version(), strict=True)
