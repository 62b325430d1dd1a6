"""Tests the bases: objects equal to kustomize's, agreed names, and safe conditions."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from fixtures.core import process
from fixtures.core.errors import FiredampError
from fixtures.core.objects import Object
from sample_app import bases, versions
from sample_app.bases import MANIFESTS, STRATEGIES, load

EXPECTED = {
    "deployment": {
        ("Deployment", "payments"),
        ("Service", "payments"),
        ("Gateway", "payments"),
        ("VirtualService", "payments"),
    },
    "canary": {
        ("Rollout", "payments"),
        ("Service", "payments-stable"),
        ("Service", "payments-canary"),
        ("Gateway", "payments"),
        ("VirtualService", "payments"),
        ("AnalysisTemplate", "success-rate"),
        ("AnalysisTemplate", "success-rate-istio"),
        ("AnalysisTemplate", "latency-p99"),
    },
    "bluegreen": {
        ("Rollout", "payments"),
        ("Service", "payments-active"),
        ("Service", "payments-preview"),
        ("Gateway", "payments"),
        ("VirtualService", "payments"),
        ("VirtualService", "payments-preview"),
        ("AnalysisTemplate", "success-rate"),
        ("AnalysisTemplate", "success-rate-istio"),
        ("AnalysisTemplate", "latency-p99"),
    },
}
ROUTES = {
    "deployment": {"payments.shop": {"payments": None}},
    "canary": {"payments.shop": {"payments-stable": 100, "payments-canary": 0}},
    "bluegreen": {
        "payments.shop": {"payments-active": None},
        "preview.payments.shop": {"payments-preview": None},
    },
}


def shop(strategy: str) -> dict[tuple[str, str], Object]:
    return keyed(load(strategy, namespace="shop", tag="1.2-5xx-20"))


def keyed(objects: list[Object]) -> dict[tuple[str, str], Object]:
    keys = [(item["kind"], item["metadata"]["name"]) for item in objects]
    assert len(keys) == len(set(keys))
    return dict(zip(keys, objects, strict=True))


def workload(strategy: str) -> Object:
    return shop(strategy)["Deployment" if strategy == "deployment" else "Rollout", "payments"]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_has_the_objects_agreed_upon(strategy: str) -> None:
    objects = shop(strategy)
    assert objects.keys() == EXPECTED[strategy]
    assert {item["metadata"]["namespace"] for item in objects.values()} == {"shop"}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_equals_what_kustomize_renders(strategy: str, tmp_path: Path) -> None:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not on the PATH")
    edited = shutil.copytree(MANIFESTS, tmp_path / "manifests") / strategy
    file = edited / "kustomization.yaml"
    text = file.read_text().replace("namespace: example", "namespace: shop")
    file.write_text(text.replace('newTag: "1.0"', 'newTag: "1.2-5xx-20"'))

    rendered = list(yaml.safe_load_all(process.run([kubectl, "kustomize", edited], timeout=60)))

    assert shop(strategy) == keyed(rendered)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_routes_each_host_to_short_names_without_retries(strategy: str) -> None:
    weights: dict[str, dict[str, int | None]] = {}
    for (kind, _), item in shop(strategy).items():
        if kind != "VirtualService":
            continue
        assert item["spec"]["gateways"] == ["payments"]
        (http,) = item["spec"]["http"]
        assert (http["name"], http["retries"]) == ("primary", {"attempts": 0})
        (host,) = item["spec"]["hosts"]
        weights[host] = {route["destination"]["host"]: route.get("weight") for route in http["route"]}
    assert weights == ROUTES[strategy]
    services = {name for kind, name in shop(strategy) if kind == "Service"}
    assert {name for routes in weights.values() for name in routes} == services


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_refers_to_services_routes_and_templates_that_exist(strategy: str) -> None:
    objects = shop(strategy)
    for kind, name in references(workload(strategy)["spec"]["strategy"]):
        assert (kind, name) in objects


def references(strategy: Object) -> list[tuple[str, str]]:
    settings: Object = strategy.get("canary") or strategy.get("blueGreen") or {}
    services = [("Service", value) for key, value in settings.items() if key.endswith("Service")]
    istio = settings.get("trafficRouting", {}).get("istio", {}).get("virtualService")
    virtual = [("VirtualService", istio["name"])] if istio else []
    templates = settings.get("analysis", {}).get("templates", [])
    return services + virtual + [("AnalysisTemplate", template["templateName"]) for template in templates]


def test_the_three_strategies_run_the_same_pod() -> None:
    templates = [workload(strategy)["spec"]["template"] for strategy in STRATEGIES]
    assert templates[0] == templates[1] == templates[2]


def test_the_pod_is_restricted_and_lacks_the_variable_that_the_crash_needs() -> None:
    pod = workload("canary")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["image"] == f"{versions.IMAGE}:1.2-5xx-20"
    assert [variable["name"] for variable in container["env"]] == ["POD_NAME"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_the_canary_starts_at_5_percent_and_is_watched_until_the_end() -> None:
    canary = workload("canary")["spec"]["strategy"]["canary"]
    assert canary["steps"][0] == {"setWeight": 5}
    assert all("duration" in step["pause"] for step in canary["steps"][1::2])
    arguments = {argument["name"]: argument for argument in canary["analysis"]["args"]}
    assert arguments["pod-hash"]["valueFrom"] == {"podTemplateHashValue": "Latest"}
    assert arguments["count"]["value"] == "0"


@pytest.mark.parametrize("name", ["success-rate", "success-rate-istio", "latency-p99"])
def test_a_query_is_about_one_version_and_no_data_is_neither_good_nor_bad(name: str) -> None:
    spec = shop("canary")["AnalysisTemplate", name]["spec"]
    (metric,) = spec["metrics"]
    query = metric["provider"]["prometheus"]["query"]
    one_version = "service-name" if name == "success-rate-istio" else "pod-hash"
    for selector in re.findall(r"\{(?!\{)((?:[^{}]|\{\{[^}]*\}\})*)\}(?!\})", query):
        assert f"{{{{args.{one_version}}}}}" in selector
        assert "{{args.namespace}}" in selector
    for condition in (metric["successCondition"], metric["failureCondition"]):
        assert condition.startswith("len(result) > 0 && !isNaN(result[0]) && result[0] ")
    used = set(re.findall(r"\{\{args\.([\w-]+)\}\}", str(metric)))
    assert used == {argument["name"] for argument in spec["args"]}


@pytest.mark.parametrize(("chosen", "replicas"), [(None, 2), (0, 0), (5, 5)])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_replicas_can_be_chosen(strategy: str, chosen: int | None, replicas: int) -> None:
    objects = load(strategy, namespace="shop", tag="1.0", replicas=chosen)
    (count,) = [item["spec"]["replicas"] for item in objects if "replicas" in item.get("spec", {})]
    assert count == replicas


def test_two_loads_share_nothing() -> None:
    load("canary", namespace="a", tag="1.0")[0]["metadata"]["name"] = "changed"
    assert load("canary", namespace="a", tag="1.0")[0]["metadata"]["name"] == "payments"


def test_an_unknown_strategy_is_named_beside_those_that_exist() -> None:
    with pytest.raises(FiredampError, match=r"'recreate'(.|\n)*deployment, canary, bluegreen"):
        load("recreate", namespace="shop", tag="1.0")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("kind: Service\nmetadata: {name: a\nspec: {}\n", r"service\.yaml, line 3: "),
        (
            "kind: Service\nmetadata: {name: a}\n---\n- 1\n",
            r"service\.yaml, line 4: not an object with a kind",
        ),
        (
            "kind: Service\nmetadata: {name: a}\n---\n\nkind: Service\n",
            r"service\.yaml, line 5: Service without a name",
        ),
        ("kind: Service\nmetadata:\n\tname: a\n", r"service\.yaml, line 3: "),
        (
            "kind: Deployment\nmetadata: {name: a}\nspec: {template: {}}\n",
            r"service\.yaml, line 1: Deployment without containers",
        ),
        (None, r"service\.yaml' cannot be read: No such file"),
    ],
)
def test_a_malformed_manifest_is_named_with_its_line(
    tmp_path: Path, content: str | None, complaint: str
) -> None:
    manifests = shutil.copytree(MANIFESTS, tmp_path / "manifests")
    file = manifests / "deployment" / "service.yaml"
    file.unlink()
    if content is not None:
        file.write_text(content)
    with pytest.raises(FiredampError, match=complaint):
        load("deployment", namespace="shop", tag="1.0", manifests=manifests)


def test_a_feature_of_kustomize_that_is_not_read_here_is_refused(tmp_path: Path) -> None:
    manifests = shutil.copytree(MANIFESTS, tmp_path / "manifests")
    with (manifests / "canary" / "kustomization.yaml").open("a") as file:
        file.write("namePrefix: a-\n")
    with pytest.raises(FiredampError, match="namePrefix"):
        load("canary", namespace="shop", tag="1.0", manifests=manifests)


def test_the_images_repository_can_be_chosen() -> None:
    objects = bases.load("canary", namespace="shop", tag="1.1", image="registry.example/team/payments")
    (rollout,) = [item for item in objects if item["kind"] == "Rollout"]
    (container,) = rollout["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "registry.example/team/payments:1.1"


@pytest.mark.parametrize("router", ["nginx", "traefik"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_another_router_takes_the_place_of_istio_and_changes_nothing_else(strategy: str, router: str) -> None:
    istio, own = (load(strategy, namespace="shop", tag="1.0", router=each) for each in ("istio", router))
    of_istio, of_own = {"Gateway", "VirtualService"}, {"IngressRoute", "TraefikService", "Ingress"}
    assert {each["kind"] for each in istio} & {*of_istio, *of_own} == of_istio
    assert {each["kind"] for each in own} & of_istio == set()
    assert {each["metadata"]["namespace"] for each in own} == {"shop"}
    others = [[each for each in some if each["kind"] not in {*of_istio, *of_own}] for some in (istio, own)]
    for rollout in (each for some in others for each in some if each["kind"] == "Rollout"):
        routing = (rollout["spec"]["strategy"].get("canary") or {}).pop("trafficRouting", {})
        assert routing.keys() <= set(bases.ROUTERS)
    assert others[0] == others[1]


def test_the_hosts_of_another_router_end_in_the_namespace_as_those_of_istio_do() -> None:
    objects = load("bluegreen", namespace="shop", tag="1.0", router="traefik")
    rules = [each["spec"]["routes"][0]["match"] for each in objects if each["kind"] == "IngressRoute"]
    assert rules == ["Host(`payments.shop`)", "Host(`preview.payments.shop`)"]
    objects = load("bluegreen", namespace="shop", tag="1.0", router="nginx")
    hosts = [each["spec"]["rules"][0]["host"] for each in objects if each["kind"] == "Ingress"]
    assert hosts == ["payments.shop", "preview.payments.shop"]


def test_a_canary_names_the_object_that_has_its_weights() -> None:
    objects = keyed(load("canary", namespace="shop", tag="1.0", router="traefik"))
    canary = objects["Rollout", "payments"]["spec"]["strategy"]["canary"]
    assert canary["trafficRouting"] == {"traefik": {"weightedTraefikServiceName": "payments"}}
    services: list[dict[str, Any]] = objects["TraefikService", "payments"]["spec"]["weighted"]["services"]
    assert {each["name"]: each["weight"] for each in services} == {
        "payments-stable": 100,
        "payments-canary": 0,
    }
    assert [canary["stableService"], canary["canaryService"]] == [each["name"] for each in services]


def test_a_canary_names_the_ingress_of_its_stable_service() -> None:
    objects = keyed(load("canary", namespace="shop", tag="1.0", router="nginx"))
    canary = objects["Rollout", "payments"]["spec"]["strategy"]["canary"]
    assert canary["trafficRouting"] == {"nginx": {"stableIngress": "payments"}}
    (path,) = objects["Ingress", "payments"]["spec"]["rules"][0]["http"]["paths"]
    assert path["backend"]["service"]["name"] == canary["stableService"]


def test_a_router_without_manifests_is_refused() -> None:
    with pytest.raises(FiredampError, match="no manifests for the router 'alb'"):
        load("canary", namespace="shop", tag="1.0", router="alb")
