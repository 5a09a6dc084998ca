"""The chart, by the real helm, against the schemas of several Kubernetes versions, and against what the bot reads."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from bot import collector
from bot.config import ENVIRONMENT, load
from bot.rights import rules
from tests.real.parts import ROOT, binary

pytestmark = pytest.mark.real
CHART = ROOT / "helm" / "kubewhy"
SCHEMAS = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
KINDS = (
    "clusterrole-rbac-v1", "clusterrolebinding-rbac-v1", "configmap-v1", "service-v1", "serviceaccount-v1",
    "statefulset-apps-v1",
)  # fmt: skip
VERSIONS = ("1.28.0", "1.33.0", "1.37.0")
MODES = {
    "socket": [],
    "http": ["--set", "http.enabled=true"],
    "everything": [
        "--set", "http.enabled=true", "--set", "sshSecret=kubewhy-ssh", "--set", "replicas=2",
        "--set", "databaseSecret=kubewhy-db", "--set", "proxy=http://proxy:3128",
        "--set", "persistence.storageClass=fast",
        "--set", "serviceAccount.annotations.owner=sre", "--set", "podAnnotations.owner=sre",
        "--set", "nodeSelector.pool=tools", "--set", "imagePullSecrets[0].name=pull",
    ],
    "own account": [
        "--set", "serviceAccount.create=false", "--set", "serviceAccount.name=mine", "--set", "rbac.create=false",
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The schemas of kubernetes-validate, with references that need no network."""
    folder = tmp_path_factory.mktemp("schemas")
    for version in VERSIONS:
        (folder / version).mkdir()
        source = SCHEMAS / f"v{version}-local-strict"
        for kind in (*KINDS, "_definitions"):
            schema = json.loads((source / f"{kind}.json").read_text("utf-8"))
            schema.pop("$id", None)
            text = json.dumps(schema).replace('"/api/_definitions.json#', '"_definitions.json#')
            (folder / version / f"{kind}.json").write_text(text, "utf-8")
    return folder


def rendered(mode: str, version: str = "1.33.0") -> str:
    """What helm would apply."""
    command = [binary("helm"), "template", "kubewhy", CHART, "-n", "kubewhy", "--kube-version", version, *MODES[mode]]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def objects(mode: str) -> dict[str, Any]:
    """The rendered objects by kind."""
    return {item["kind"]: item for item in yaml.safe_load_all(rendered(mode)) if item}


def container(mode: str) -> dict[str, Any]:
    """The one container."""
    (only,) = objects(mode)["StatefulSet"]["spec"]["template"]["spec"]["containers"]
    return dict(only)


def environment(mode: str) -> dict[str, Any]:
    """Its variables by name."""
    return {entry["name"]: entry for entry in container(mode)["env"]}


def test_helm_has_no_complaint() -> None:
    """``helm lint --strict`` passes."""
    result = subprocess.run([binary("helm"), "lint", "--strict", CHART], check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


def checked(text: str, version: str, schemas: Path) -> str:
    """What kubeconform says about rendered objects."""
    location = f"{schemas}/{version}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"
    command = [binary("kubeconform"), "-strict", "-summary", "-schema-location", location, "-"]
    return subprocess.run(command, input=text, check=False, capture_output=True, text=True).stdout


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("mode", MODES)
def test_every_object_fits_the_schema(mode: str, version: str, schemas: Path) -> None:
    """Unknown or mistyped fields are errors, in every mode and version."""
    text = rendered(mode, version)
    count = sum(1 for item in yaml.safe_load_all(text) if item)
    assert f"Valid: {count}, Invalid: 0, Errors: 0, Skipped: 0" in checked(text, version, schemas)


def test_an_unknown_field_would_be_seen(schemas: Path) -> None:
    """The schemas refuse what no API server would take."""
    wrong = rendered("socket").replace("  replicas: 1", "  replicaz: 1")
    assert "Invalid: 1" in checked(wrong, "1.33.0", schemas)


def test_the_role_is_what_the_collectors_declare() -> None:
    """The chart binds the ServiceAccount to exactly the generated rules."""
    made = objects("socket")
    assert made["ClusterRole"]["rules"] == rules(collector.load())
    assert made["ClusterRoleBinding"]["roleRef"]["name"] == made["ClusterRole"]["metadata"]["name"]
    (subject,) = made["ClusterRoleBinding"]["subjects"]
    assert subject["name"] == made["ServiceAccount"]["metadata"]["name"]
    assert subject["name"] == made["StatefulSet"]["spec"]["template"]["spec"]["serviceAccountName"]


def test_rights_can_be_left_to_somebody_else() -> None:
    """With an account of one's own nothing about rights is made."""
    made = objects("own account")
    assert {"ClusterRole", "ClusterRoleBinding", "ServiceAccount"} & set(made) == set()
    assert made["StatefulSet"]["spec"]["template"]["spec"]["serviceAccountName"] == "mine"


def test_the_settings_of_the_chart_load(tmp_path: Path) -> None:
    """The ConfigMap is a settings file that the bot accepts."""
    path = tmp_path / "kubewhy.yaml"
    path.write_text(objects("socket")["ConfigMap"]["data"]["kubewhy.yaml"], "utf-8")
    settings = load(path)
    assert settings.default_cluster == "this"
    assert settings.clusters["this"].kubeconfig == "in-cluster"


@pytest.mark.parametrize("mode", ["socket", "http"])
def test_variables_are_those_that_the_bot_reads(mode: str) -> None:
    """A variable that nobody reads would be a promise that nobody keeps."""
    known = {name for names in ENVIRONMENT.values() for name in names} | {"KUBEWHY_STATE", "HOSTNAME"}
    assert set(environment(mode)) <= known


def test_http_mode_is_switched_on_with_its_port() -> None:
    """The value http.enabled reaches the bot, the port and the Service."""
    assert environment("http")["SLACK_MODE"]["value"] == "http"
    assert environment("http")["SLACK_PORT"]["value"] == "3000"
    assert container("http")["ports"] == [{"name": "http", "containerPort": 3000}]
    assert objects("http")["Service"]["spec"]["ports"] == [{"name": "http", "port": 80, "targetPort": "http"}]
    assert "SLACK_MODE" not in environment("socket")


def test_a_replica_keeps_its_name() -> None:
    """Runs that a killed pod had begun are found again under the pod's name."""
    assert environment("everything")["HOSTNAME"]["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}


def test_several_replicas_without_a_database_are_refused() -> None:
    """Two processes on two SQLite files would answer twice."""
    command = [binary("helm"), "template", "x", CHART, "--kube-version", "1.33.0", "--set", "replicas=2"]
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    assert result.returncode != 0
    assert "set databaseSecret" in result.stderr


def test_the_container_can_do_nothing_but_its_work() -> None:
    """No root, no writable image, no capability."""
    assert container("socket")["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    pod = objects("socket")["StatefulSet"]["spec"]["template"]["spec"]["securityContext"]
    assert (pod["runAsNonRoot"], pod["runAsUser"]) == (True, 10001)
    assert f"USER {pod['runAsUser']}:{pod['runAsGroup']}" in (ROOT / "Containerfile").read_text("utf-8")


def test_every_value_has_a_comment() -> None:
    """Who installs reads values.yaml: each top-level value, or the block that it is in, says what it is for."""
    lines = (CHART / "values.yaml").read_text("utf-8").splitlines()
    silent = ("imagePullSecrets", "resources", "nodeSelector", "tolerations", "affinity", "podAnnotations", "noProxy",
              "serviceAccount", "http", "rbac")  # fmt: skip
    bare = [
        line.partition(":")[0]
        for before, line in zip(["", *lines], lines, strict=False)
        if line[:1].isalpha() and not before.startswith("#") and not line.startswith(silent)
    ]
    assert bare == []
