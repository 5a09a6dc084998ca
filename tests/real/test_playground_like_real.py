"""The playground answers as a real API server does: the same questions to both, the answers compared.

A base cluster and a zoo of odd objects are written into a real etcd and API server; that server is recorded as a
bundle; the bundle is served. Only what differs between two moments is left out of the comparison (see
``comparing.normal``).
"""

from __future__ import annotations

import datetime as dt
import os
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.bundle.store import open_base
from bot.playground.https import ApiServer, serve
from tests.real import questions, rights, specimens
from tests.real.comparing import Client, load, record, shown, write
from tests.real.parts import ADMIN, binary, control_plane

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]
BASE = "kubeadm-5"
USERS = {"admin": ("system:masters",), "alice": (), "bob": ("devs",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A real API server and the playground of its recording; ``tokens`` are the playground's."""

    real: str
    playground: ApiServer
    tokens: dict[str, str]

    def ask(self, question: questions.Question) -> tuple[dict[str, object], dict[str, object]]:
        """Both answers, in the form in which they are compared."""
        given = (question.path, question.query)
        rest = {"accept": question.accept, "method": question.method, "body": question.body}
        own = self.tokens.get(question.token.removesuffix("-token"), question.token)
        real = Client(url=self.real, token=question.token).ask(*given, **rest)
        return shown(real), shown(Client(url=self.playground.url, token=own).ask(*given, **rest))


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Both servers, with the same objects."""
    with control_plane(tmp_path_factory.mktemp("control-plane")) as plane:
        real = Client(url=plane.url, token=ADMIN)
        _fill(real)
        with serve(record(real)) as playground:
            tokens = {name: playground.users.token(name, groups) for name, groups in USERS.items()}
            yield Pair(real=plane.url, playground=playground, tokens=tokens)


def _fill(real: Client) -> None:
    taken = load(open_base(BASE), real)
    assert taken["pods"] > 20, taken
    now = dt.datetime.now(dt.UTC)  # noqa: TID251 - a real server has a real clock
    odd = [*specimens.others(now), *(("pods", pod) for pod in specimens.pods(now))]
    refused = [
        (title, item["metadata"]["name"]) for title, item in odd if not write(real, specimens.KINDS[title], item)
    ]
    assert not refused
    _widgets(real)
    _until(lambda: b"ServiceNotFound" in real.ask("/apis/apiregistration.k8s.io/v1/apiservices").body)
    _until(lambda: b"metrics.k8s.io" in real.ask("/apis", accept=questions.AGGREGATED).body)
    _until(lambda: b"example.com" in real.ask("/apis", accept=questions.AGGREGATED).body)


def _widgets(real: Client) -> None:
    path = f"/apis/example.com/v1/namespaces/{specimens.NS}/widgets"
    _until(lambda: real.ask(path).status == 200)
    for item in specimens.widgets():
        assert real.ask(path, method="POST", body=item).status == 201


def _until(met: object) -> None:
    assert callable(met)
    end = time.monotonic() + 30
    while not met():
        assert time.monotonic() < end, "the real API server did not get there"
        time.sleep(0.2)


GROUPS = {
    "lists": questions.lists,
    "selections": questions.selections,
    "errors": questions.errors,
    "logs": questions.logs,
    "rights": rights.rights,
    "discoveries": questions.discoveries,
}


@pytest.mark.parametrize("group", GROUPS)
def test_the_same_question_has_the_same_answer(pair: Pair, group: str) -> None:
    """Status, content type, headers and body are equal, for every question of the group."""
    asked = list(GROUPS[group]())
    assert len(asked) >= 10
    different = []
    for question in asked:
        real, own = pair.ask(question)
        if real != own:
            different.append(f"{question}\n  real: {str(real)[:600]}\n  ours: {str(own)[:600]}")
    assert not different, f"{len(different)} of {len(asked)}:\n" + "\n".join(different)


@pytest.mark.parametrize("limit", [1, 5, 500])
def test_pages_are_cut_at_the_same_places(pair: Pair, limit: int) -> None:
    """Walking a list page by page gives the same names and the same remaining counts, and every object once."""
    pages = [_walk(Client(url=pair.real, token=ADMIN), limit), _walk(_own(pair), limit)]
    assert pages[0] == pages[1]
    names = [name for page, _ in pages[0] for name in page]
    assert len(names) == len(set(names)) > 30


def _own(pair: Pair) -> Client:
    return Client(url=pair.playground.url, token=pair.tokens["admin"])


def _walk(client: Client, limit: int) -> list[tuple[list[str], int | None]]:
    found, token = [], ""
    while True:
        answer = client.ask("/api/v1/pods", {"limit": str(limit)} | ({"continue": token} if token else {})).json
        names = [f"{o['metadata']['namespace']}/{o['metadata']['name']}" for o in answer["items"]]
        found.append((names, answer["metadata"].get("remainingItemCount")))
        token = answer["metadata"].get("continue", "")
        if not token:
            return found


COMMANDS = [
    "get pods -A",
    "get pods -A -o wide",
    "get pods -n zoo --show-labels",
    "get pods -n zoo -l case=crash,app=zoo",
    "get pods -A --field-selector spec.nodeName=node-1,status.phase=Running",
    "get pods -A --sort-by=.metadata.name",
    "get nodes -o wide",
    "get all -n shop",
    "get all -n zoo",
    "get deploy,rs,sts,ds,job,cj,hpa,pdb -A -o wide",
    "get svc,ep,endpointslices,ing,netpol,ingressclass -A -o wide",
    "get cm,sa,quota,limits,pvc,pv,sc -A",
    "get events -n zoo -o wide",
    "get apiservices,crd,validatingwebhookconfigurations,csr,priorityclasses,runtimeclasses",
    "get clusterrolebindings,rolebindings -A -o wide",
    "get widgets -A",
    "get wd w1 -n zoo -o yaml",
    "get pod crash -n zoo -o jsonpath={.status.containerStatuses[0].restartCount}",
    "get pod nope -n zoo",
    "get nonsense",
    "get ns zoo -o json",
    "describe pod crash -n zoo",
    "describe node node-1",
    "describe svc,hpa,pvc,ing,quota -n zoo",
    "describe deploy web -n shop",
    "describe apiservice v1beta1.metrics.k8s.io",
    "api-resources",
    "api-resources --namespaced=true --verbs=list -o name",
    "api-versions",
    "auth can-i list pods -n zoo",
    "auth can-i --list -n zoo --as bob --as-group devs",
    "auth can-i delete pods -n zoo --as bob --as-group devs",
    "auth can-i get /metrics --as bob",
    "auth whoami --as system:serviceaccount:zoo:sa",
    "get pods -n zoo --as alice",
    "get pod crash -n zoo --as system:serviceaccount:zoo:sa",
    "logs half -n zoo -c nope",
    "logs nobody -n zoo",
    "top nodes",
    "get --raw /readyz?verbose",
    "get --raw /apis/metrics.k8s.io/v1beta1/nodes",
    "cluster-info",
]
AGES = re.compile(r"(?<![\w.-])(?:\d+[ydhms]){1,2}(?![\w.-])|<invalid>")
MOMENTS = re.compile(r"(?m)^(\s*(?:uid|resourceVersion|RenewTime)\S*).*$|\d{4}-\d\d-\d\dT[\d:.]+Z|https://[\d.]+:\d+")


@pytest.mark.parametrize("command", COMMANDS)
def test_kubectl_prints_the_same(pair: Pair, tmp_path: Path, command: str) -> None:
    """What kubectl prints of both clusters is equal, ages and ids aside, and so is its exit status."""
    real = _kubectl(["--server", pair.real, "--token", ADMIN, "--insecure-skip-tls-verify"], command, tmp_path / "real")
    config = tmp_path / "kubeconfig"
    config.write_text(pair.playground.kubeconfig("admin", ("system:masters",)))
    own = _kubectl(["--kubeconfig", str(config)], command, tmp_path / "own")
    assert real == own


def _kubectl(flags: list[str], command: str, cache: Path) -> tuple[int, list[str], list[str]]:
    environment = {k: v for k, v in os.environ.items() if k != "KUBECONFIG"} | {"HOME": str(cache)}
    line = [binary("kubectl"), *flags, "--cache-dir", str(cache), *command.split()]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False, env=environment)
    return done.returncode, _words(done.stdout), _words(done.stderr)


def _words(text: str) -> list[str]:
    """Lines without ages and moments, and without the column widths that they make."""
    plain = AGES.sub("AGE", MOMENTS.sub("MOMENT", text))
    return [" ".join(line.split()) for line in plain.splitlines()]
