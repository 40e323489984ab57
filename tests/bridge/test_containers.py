"""What `docker-compose.yaml` and `kubernetes/` start: commands, variables, ports and probes that our program has."""

from __future__ import annotations

import argparse
import re
from importlib.metadata import version
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
    assert service["spec"]["publishNotReadyAddresses"], "a full bridge keeps its traces"


def test_the_cluster_starts_a_server_where_the_bridges_look_for_it() -> None:
    server, service = container("server.yaml", "StatefulSet"), manifest("server.yaml", "Service")
    command = parsed(server["args"])
    assert command.host == "0.0.0.0"
    (variable,) = (each["name"] for each in server["env"])
    assert command.api_key == [f"$({variable})"]
    said = {each["name"]: each.get("value") for each in container("bridge.yaml", "StatefulSet")["env"]}
    (port,) = (port["port"] for port in service["spec"]["ports"])
    assert said["HUMANLOOP_BASE_URL"] == f"http://{service['metadata']['name']}:{port}/v4"
    assert [each["containerPort"] for each in server["ports"]] == [command.port] == [port]
    keys = [
        next(each["valueFrom"] for each in container(name, "StatefulSet")["env"] if each["name"] == "HUMANLOOP_API_KEY")
        for name in ("server.yaml", "bridge.yaml")
    ]
    assert keys[0] == keys[1]


WORKLOADS = {"bridge.yaml": "StatefulSet", "server.yaml": "StatefulSet", "collector.yaml": "Deployment"}


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_container_may_do_only_what_it_needs(name: str) -> None:
    """The restricted profile of the Pod Security Standards, and a file system that is not written to."""
    pod = manifest(name, WORKLOADS[name])["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    only = container(name, WORKLOADS[name])
    assert only["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"livenessProbe", "readinessProbe"} < set(only)
    assert only["resources"]["limits"]["memory"]


def test_budgets_and_services_mean_the_pods_there_are() -> None:
    for name, kind in WORKLOADS.items():
        labels = manifest(name, kind)["spec"]["template"]["metadata"]["labels"]
        assert manifest(name, "Service")["spec"]["selector"] == labels
        if name != "server.yaml":
            assert manifest(name, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == labels


def test_the_image_is_of_this_version_everywhere_and_what_it_is_built_of_is_let_in() -> None:
    image = f"otel-humanloop:{version('otel-humanloop')}"
    ours = [COMPOSE["services"][name]["image"] for name in ("server", "bridge")]
    ours += [container(name, "StatefulSet")["image"] for name in ("server.yaml", "bridge.yaml")]
    assert set(ours) == {image}
    assert f"-t {image} ." in (FOLDER / "Dockerfile").read_text()
    project = (FOLDER.parent / "pyproject.toml").read_text()
    built_of = {"pyproject.toml"}
    for named in (
        r'^readme = "(.+)"$',
        r'^license-files = \["(.+)"\]$',
        r'^packages = \["(.+)"\]$',
        r'^"(.+)" = "otel_',
    ):
        built_of |= {*re.findall(named, project, re.MULTILINE)}
    let_in = (FOLDER.parent / ".dockerignore").read_text().splitlines()
    assert built_of == {line[1:] for line in let_in if line.startswith("!")}


def test_the_cluster_says_only_what_the_bridge_reads() -> None:
    bridges = container("bridge.yaml", "StatefulSet")
    assert {each["name"] for each in bridges["env"]} <= VARIABLES
    said = {each["name"]: each["value"] for each in bridges["env"] if "value" in each}
    grace = manifest("bridge.yaml", "StatefulSet")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert load(None, said).shutdown_timeout < grace


def test_what_is_kept_is_kept_in_a_volume() -> None:
    recipe = (FOLDER / "Dockerfile").read_text()
    assert "ENV XDG_DATA_HOME=/data" in recipe
    for name in ("server.yaml", "bridge.yaml"):
        claims = manifest(name, "StatefulSet")["spec"]["volumeClaimTemplates"]
        mounts = {mount["name"]: mount["mountPath"] for mount in container(name, "StatefulSet")["volumeMounts"]}
        assert [mounts[claim["metadata"]["name"]] for claim in claims] == ["/data"]
    for name in ("server", "bridge"):
        assert [volume.rpartition(":")[2] for volume in COMPOSE["services"][name]["volumes"]] == ["/data"]
    user = manifest("bridge.yaml", "StatefulSet")["spec"]["template"]["spec"]["securityContext"]["runAsUser"]
    assert f"--uid {user} " in recipe


def test_one_collector_everywhere() -> None:
    deployed = container("collector.yaml", "Deployment")["image"]
    assert COMPOSE["services"]["collector"]["image"] == deployed


@pytest.mark.collector
@pytest.mark.parametrize("name", WORKLOADS)
def test_the_cluster_would_take_it(name: str) -> None:
    kubernetes = pytest.importorskip("kubernetes_validate", reason="pip install kubernetes-validate")
    for document in yaml.safe_load_all((KUBERNETES / name).read_text()):
        kubernetes.validate(document, kubernetes.latest_version(), strict=True)
