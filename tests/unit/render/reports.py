"""Reports to render: one of every kind that a run can end with, and one whose names try to break out."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from bot.model.command import Question
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity, Stage
from bot.model.proof import Proof, Source
from bot.model.refs import Subject, node
from bot.model.report import (
    Counts,
    Edge,
    Entry,
    Exhibit,
    Failed,
    Remedy,
    Report,
    Role,
    Root,
    Ruled,
    Skipped,
    Status,
    Summary,
)
from bot.model.text import T, Text

AT = datetime(2026, 11, 21, 4, 58, 50, tzinfo=UTC)
BOOT = AT - timedelta(hours=1, minutes=46, seconds=42)
CONFIRMED, LIKELY, POSSIBLE = Confidence.CONFIRMED, Confidence.LIKELY, Confidence.POSSIBLE
CRIT, HIGH, WARN = Severity.CRIT, Severity.HIGH, Severity.WARN


def found(  # noqa: PLR0917 - a fixture reads like a row of a table
    number: int,
    code: str,
    reason: str,
    title: Text,
    subject: Subject,
    role: Role,
    *,
    severity: Severity = CRIT,
    confidence: Confidence = CONFIRMED,
    detail: Text | None = None,
    by: tuple[str, ...] = (),
    evidence: tuple[str, ...] = (),
    fixes: tuple[str, ...] = (),
    onset: datetime | None = None,
    facts: dict[str, str | int | float | bool | tuple[str, ...]] | None = None,
) -> Entry:
    """An entry with its finding."""
    finding = Finding(
        code=code,
        reason=reason,
        title=title,
        severity=severity,
        confidence=confidence,
        subject=subject,
        detail=detail,
        facts=facts or {},
        onset=onset,
    )
    return Entry(id=f"F{number}", finding=finding, role=role, explained_by=by, evidence=evidence, fixes=fixes)


def proof(number: int, source: Source, what: str, body: str, *, redactions: int = 0, excerpt: str = "") -> Exhibit:
    """An exhibit read at the time of the observation."""
    return Exhibit(
        id=f"E{number}",
        proof=Proof(source=source, what=what, at=AT, body=body, excerpt=excerpt, redactions=redactions),
    )


N3 = node("node-3")
MYSQL = Subject("Pod", "mysql-0", "shop")


def metrics_incident() -> Report:
    """Node node-3 came back from a reboot without its kubelet's config file and with stray control-plane units."""
    entries = (
        found(
            1,
            "NODE-04",
            "config-file-moved",
            T("the kubelet on {node} cannot start: {path} is gone", node="node-3", path="/var/lib/kubelet/config.yaml"),
            N3,
            Role.ROOT,
            detail=T(
                "A backup {backup} lies beside it: the file was moved, not copied.",
                backup="/var/lib/kubelet/config.yaml.bak",
            ),
            evidence=("E1", "E2"),
            fixes=("X2",),
            onset=BOOT,
            facts={"node": "node-3", "path": "/var/lib/kubelet/config.yaml"},
        ),
        found(
            2,
            "CTRL-09",
            "stray-units",
            T("{count} control-plane units run on worker {node}: {units}", count=3, node="node-3", units=STRAYS),
            N3,
            Role.ROOT,
            confidence=LIKELY,
            evidence=("E3",),
            fixes=("X1",),
            onset=BOOT,
            facts={"node": "node-3", "units": STRAYS},
        ),
        found(
            3,
            "NODE-03",
            "not-running",
            T("the kubelet on {node} is not running", node="node-3"),
            N3,
            Role.EFFECT,
            by=("F1",),
            evidence=("E1",),
            onset=BOOT + timedelta(seconds=20),
        ),
        found(
            4,
            "METRICS-03",
            "refused",
            T("metrics-server cannot read {node}: {error}", node="node-3", error="connect: connection refused"),
            N3,
            Role.EFFECT,
            by=("F3",),
            severity=HIGH,
            evidence=("E4",),
        ),
        found(
            5,
            "APISVC-01",
            "unavailable",
            T("the API {group} does not answer", group="metrics.k8s.io"),
            Subject("APIService", "v1beta1.metrics.k8s.io"),
            Role.EFFECT,
            by=("F4",),
            severity=HIGH,
            evidence=("E5", "E6"),
        ),
        found(
            6,
            "CTRL-04",
            "discovery-fatal",
            T("{component} restarts because discovery of {group} fails", component=KCM, group="metrics.k8s.io"),
            Subject("Pod", KCM, "kube-system"),
            Role.EFFECT,
            by=("F5",),
            evidence=("E7",),
            onset=BOOT + timedelta(minutes=3),
        ),
        found(
            7,
            "CTRL-05",
            "no-leader",
            T("nobody leads {component}; its Lease is {age} old", component=KCM, age=timedelta(minutes=96)),
            Subject("Lease", KCM, "kube-system"),
            Role.EFFECT,
            by=("F6",),
            evidence=("E8",),
        ),
        found(
            8,
            "CTRL-08",
            "nothing-reconciles",
            T("no Deployment or StatefulSet has been reconciled for {age}", age=timedelta(minutes=95)),
            Subject("Cluster", "cluster"),
            Role.EFFECT,
            by=("F7",),
            evidence=("E9",),
        ),
        found(
            9,
            "POD-16",
            "volume-held",
            T("{pod} is down: its volume is still attached to {node}", pod="shop/mysql-0", node="node-3"),
            MYSQL,
            Role.EFFECT,
            by=("F8",),
            evidence=("E10",),
        ),
        found(
            10,
            "NODE-30",
            "rebooted",
            T("{node} was rebooted", node="node-3"),
            N3,
            Role.TRIGGER,
            severity=WARN,
            evidence=("E11",),
            onset=BOOT,
        ),
        found(
            11,
            "CTRL-10",
            "single-control-plane",
            T("the control plane has one member only"),
            Subject("Cluster", "cluster"),
            Role.CONTRIBUTING,
            severity=WARN,
            evidence=("E12",),
        ),
        found(
            12,
            "ETCD-04",
            "slow-fsync",
            T("etcd took {seconds} s for one write", seconds=0.4),
            Subject("Pod", "etcd-cp-1", "kube-system"),
            Role.NOISE,
            severity=Severity.NOISE,
        ),
    )
    chain = tuple(f"F{n}" for n in (1, 3, 4, 5, 6, 7, 8, 9))
    return Report(
        run="metrics-7f3a9c01d2",
        question=Question(command="metrics-api", target="", cluster="prod-eu"),
        cluster="prod-eu",
        observed_at=AT,
        duration_ms=11_400,
        status=Status.CRITICAL,
        summary=Summary(
            wrong=entries[8].finding.title,
            why=entries[0].finding.title,
            next=REMEDIES[0].fix.what,
        ),
        roots=(
            Root(finding="F1", chain=chain, exposed_by=("F10",)),
            Root(finding="F2", chain=("F2",), exposed_by=("F10",)),
        ),
        entries=entries,
        ruled_out=(
            Ruled(
                code="NODE-10",
                subject=N3,
                because=T("containerd answers on {socket}", socket="/run/containerd/containerd.sock"),
                evidence=("E1",),
            ),
            Ruled(
                code="CTRL-06",
                subject=Subject("Lease", "kube-scheduler", "kube-system"),
                because=T("the Lease was renewed {age} ago", age=timedelta(seconds=2)),
                evidence=("E8",),
            ),
        ),
        skipped=(
            Skipped(
                code="NET-02",
                key="node-5",
                missing=("the routes of node-5",),
                because="SSH to node-5: connection refused",
                hint="open port 22 of 10.0.0.9 for the bot",
            ),
        ),
        edges=(
            *(Edge(cause=a, effect=b, type="causes", state="active") for a, b in itertools.pairwise(chain)),
            Edge(cause="F2", effect="F6", type="causes", state="possible"),
            Edge(cause="F10", effect="F1", type="triggers", state="active"),
        ),
        counts=Counts(found=12, clean=31, skipped=1, failed=0),
        remedies=REMEDIES,
        exhibits=EXHIBITS,
    )


KCM = "kube-controller-manager"
STRAYS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
REMEDIES = (
    Remedy(
        id="X1",
        finding="F2",
        fix=Fix(
            what=T("Stop and disable the stray control-plane units on {node}.", node="node-3"),
            safety=Safety.REVERSIBLE,
            commands=("ssh node-3 sudo systemctl disable --now kube-apiserver kube-controller-manager kube-scheduler",),
            verify=("ssh node-3 systemctl is-active kube-apiserver kube-controller-manager kube-scheduler",),
            undo=("ssh node-3 sudo systemctl enable --now kube-apiserver kube-controller-manager kube-scheduler",),
            stage=Stage.MITIGATION,
        ),
    ),
    Remedy(
        id="X2",
        finding="F1",
        fix=Fix(
            what=T("Copy the backup back and start the kubelet on {node}.", node="node-3"),
            safety=Safety.REVERSIBLE,
            commands=(
                "ssh node-3 sudo cp -p /var/lib/kubelet/config.yaml.bak /var/lib/kubelet/config.yaml",
                "ssh node-3 sudo systemctl start kubelet",
            ),
            verify=("kubectl --context prod-eu get node node-3", "kubectl --context prod-eu top nodes"),
            undo=("ssh node-3 sudo systemctl stop kubelet",),
        ),
    ),
    Remedy(
        id="X3",
        finding="F4",
        fix=Fix(
            what=T("If {group} is still missing after 3 minutes, restart its pods.", group="metrics.k8s.io"),
            safety=Safety.DISRUPTIVE,
            commands=("kubectl --context prod-eu -n kube-system rollout restart deployment/metrics-server",),
            verify=("kubectl --context prod-eu get apiservice v1beta1.metrics.k8s.io",),
            stage=Stage.CONSUMERS,
        ),
    ),
)
EXHIBITS = (
    proof(
        1,
        Source.NODE,
        "node-3: systemctl show kubelet",
        "ActiveState=activating\nSubState=auto-restart\nNRestarts=1274\nExecMainStatus=1",
    ),
    proof(
        2,
        Source.LOG,
        "node-3: journalctl -u kubelet",
        'E1121 04:58:41 server.go:206] "failed to load kubelet config file" err="open /var/lib/kubelet/config.yaml: '
        'no such file or directory" path="/var/lib/kubelet/config.yaml"',
        redactions=2,
    ),
    proof(3, Source.NODE, "node-3: systemctl list-units 'kube-*'", "kube-apiserver.service loaded active running"),
    proof(4, Source.LOG, "metrics-server log", 'E1121 scraper.go:149] "Failed to scrape node" node="node-3"'),
    proof(5, Source.API, "GET /apis/apiregistration.k8s.io/v1/apiservices", "Available=False FailedDiscoveryCheck"),
    proof(6, Source.API, "GET /apis/metrics.k8s.io/v1beta1/nodes", "503 service unavailable"),
    proof(7, Source.LOG, "kube-system/kube-controller-manager-cp-1 log", "F1121 unable to retrieve the complete list"),
    proof(8, Source.API, "GET leases of kube-system", "kube-controller-manager renewTime 03:22:50"),
    proof(9, Source.API, "GET deployments", "observedGeneration 4, generation 6"),
    proof(10, Source.API, "GET pod shop/mysql-0", "Multi-Attach error for volume pvc-1"),
    proof(11, Source.NODE, "node-3: uptime -s", "2026-11-21 03:12:08"),
    proof(12, Source.API, "GET nodes", "node-role.kubernetes.io/control-plane: cp-1"),
)


def healthy() -> Report:
    """Nothing is wrong, everything was checked."""
    return Report(
        run="node-00ff00ff00",
        question=Question(command="node-why", target="node-1", cluster="prod-eu"),
        cluster="prod-eu",
        observed_at=AT,
        duration_ms=1_900,
        status=Status.OK,
        summary=Summary(
            wrong=T("Nothing is wrong with {subject}.", subject="node-1"),
            why=T("Every check that this command owns ran and found nothing."),
            next=T("Nothing to do."),
        ),
        counts=Counts(found=0, clean=43, skipped=0, failed=0),
    )


def incomplete() -> Report:
    """Nothing was found, but SSH did not work: not an all-clear."""
    because = "SSH to node-1: no route to host"
    codes = ("NODE-03", "NODE-04", "NODE-05", "NODE-07", "NODE-08", "NODE-10", "NODE-11", "NET-01")
    return Report(
        run="node-1111111111",
        question=Question(command="node-why", target="node-1", cluster="prod-eu"),
        cluster="prod-eu",
        observed_at=AT,
        duration_ms=25_200,
        status=Status.INCOMPLETE,
        summary=Summary(
            wrong=T("Nothing was found, but not everything could be checked."),
            why=T("{missing} could not be read: {because}", missing="the kubelet of node-1", because=because),
            next=T("Make it readable and run again."),
        ),
        skipped=tuple(
            Skipped(
                code=code,
                key="node-1",
                missing=("the kubelet of node-1",),
                because=because,
                hint="kubewhy doctor --cluster prod-eu",
                mandatory=True,
            )
            for code in codes
        ),
        failed=(Failed(code="DNS-05", error="KeyError: 'data'", reference="a91f"),),
        counts=Counts(found=0, clean=20, skipped=8, failed=1),
    )


def unreachable() -> Report:
    """The cluster could not be asked at all."""
    return Report(
        run="dns-2222222222",
        question=Question(command="dns-check", target="example-api.com", cluster="prod-eu"),
        cluster="prod-eu",
        observed_at=AT,
        duration_ms=10_050,
        status=Status.FAILED,
        summary=Summary(
            wrong=T("The API of {cluster} does not answer.", cluster="prod-eu"),
            why=T("{what}: {detail}", what="TCP to 10.0.0.5:6443", detail="connection refused"),
            next=T("Try {command}, which asks the control-plane hosts over SSH.", command="/control-plane"),
        ),
    )


def unproven() -> Report:
    """A symptom whose cause is not proven."""
    entry = found(
        1,
        "APP-01",
        "no-answer",
        T("{pod} cannot resolve {name}", pod="shop/web-1", name="example-api.com"),
        Subject("Pod", "web-1", "shop"),
        Role.CONTRIBUTING,
        severity=HIGH,
        confidence=LIKELY,
        evidence=("E1",),
    )
    return Report(
        run="dns-3333333333",
        question=Question(command="dns-check", target="example-api.com", cluster="prod-eu"),
        cluster="prod-eu",
        observed_at=AT,
        duration_ms=31_000,
        status=Status.WARNING,
        summary=Summary(
            wrong=entry.finding.title, why=T("The cause is not proven."), next=T("Make node-2 readable and run again.")
        ),
        entries=(entry,),
        skipped=(
            Skipped(
                code="NET-01",
                key="node-2",
                missing=("the links of node-2",),
                because="SSH to node-2: timed out",
                mandatory=True,
            ),
        ),
        counts=Counts(found=1, clean=12, skipped=1, failed=0),
        exhibits=(proof(1, Source.DNS, "pod/shop/web-1: example-api.com A @10.96.0.10", "timeout"),),
        note=T("Stopped after {seconds} s.", seconds=31),
    )


EVIL = "`; <!channel> *bold* _it_ ~s~ <https://evil|click> \x1b[31mred\x1b[0m \u202egnp.exe \ud800 ```"


def hostile() -> Report:
    """Every name and line comes from somebody who wants to be parsed."""
    entry = found(
        1,
        "POD-06",
        "wrong-name",
        T("{pod} cannot pull {image}", pod=f"shop/{EVIL}", image=EVIL),
        Subject("Pod", EVIL, "shop"),
        Role.ROOT,
        detail=T("The registry says {answer}", answer=EVIL),
        evidence=("E1", "E2"),
        fixes=("X1",),
    )
    fix = Fix(
        what=T("Correct the image of {pod}.", pod=EVIL),
        safety=Safety.REVERSIBLE,
        commands=("kubectl set image deployment/web '```<!channel>'",),
    )
    return Report(
        run="pod-4444444444",
        question=Question(command="pod-why", target=f"shop/{EVIL}", cluster="prod-eu"),
        cluster="prod-eu",
        observed_at=AT,
        duration_ms=900,
        status=Status.CRITICAL,
        summary=Summary(wrong=entry.finding.title, why=T("{what}", what=EVIL), next=fix.what),
        roots=(Root(finding="F1", chain=("F1",)),),
        entries=(entry,),
        skipped=(Skipped(code="POD-07", key=EVIL, missing=(EVIL,), because=EVIL, hint=EVIL),),
        counts=Counts(found=1, clean=1, skipped=1, failed=0),
        remedies=(Remedy(id="X1", finding="F1", fix=fix),),
        exhibits=(
            proof(1, Source.LOG, EVIL, f"{EVIL}\npassword=hunter2\nAuthorization: Bearer abcdefgh12345678"),
            proof(2, Source.LOG, "a line of a megabyte", "x`<&>" * 200_000),
        ),
    )


def crowded() -> Report:
    """More than any message can hold: long titles, long proofs, many of everything, in Chinese letters too."""
    entries = tuple(
        found(
            n,
            "POD-01",
            "insufficient-cpu",
            T("{pod} waits for a node: {why}", pod=f"shop/worker-{n}", why="资源不足 insufficient cpu " * 8),
            Subject("Deployment", f"worker-{n}", "shop"),
            Role.ROOT,
            detail=T("The scheduler said {words}", words="0/5 nodes are available: 没有可用节点 " * 8),
            evidence=(f"E{n}",),
            fixes=(f"X{n}",),
            onset=AT,
        )
        for n in range(1, 41)
    )
    fix = Fix(
        what=T("Lower the requests of {subject}.", subject="deploy/" + "worker" * 20),
        safety=Safety.DISRUPTIVE,
        commands=tuple(
            f"kubectl --context prod-eu -n shop set resources deploy/worker-{n} {'x' * 180}" for n in range(9)
        ),
        verify=("kubectl get pods",) * 9,
        undo=("kubectl rollout undo " + "y" * 900,) * 5,
    )
    return Report(
        run="pod-5555555555",
        question=Question(command="pod-why", target="shop/", cluster="prod-eu"),
        cluster="prod-eu",
        observed_at=AT,
        duration_ms=65_000,
        status=Status.CRITICAL,
        summary=Summary(wrong=entries[0].finding.title, why=entries[1].finding.title, next=fix.what),
        roots=tuple(Root(finding=e.id, chain=(e.id,)) for e in entries[:12]),
        entries=entries,
        ruled_out=tuple(
            Ruled(code="POD-02", subject=e.finding.subject, because=e.finding.title, evidence=e.evidence)
            for e in entries
        ),
        skipped=tuple(
            Skipped(code="NODE-10", key=f"node-{n}", missing=("m" * 90,), because=f"SSH to node-{n}: timed out " * 9)
            for n in range(60)
        ),
        counts=Counts(found=40, clean=3, skipped=60, failed=0),
        remedies=tuple(Remedy(id=f"X{e.id[1:]}", finding=e.id, fix=fix) for e in entries),
        exhibits=tuple(
            proof(n, Source.API, f"GET pod {n}", "\n".join(f"line {i} 没有可用节点 " * 9 for i in range(30)))
            for n in range(1, 41)
        ),
    )


def chinese() -> Report:
    """A report whose messages are Chinese, so that marks stand beside Chinese letters."""
    entry = found(
        1,
        "NODE-04",
        "config-file-moved",
        T(
            "节点{node}上的kubelet无法启动：{path}不存在，{count}次重启",
            node="node-3",
            path="/var/lib/kubelet/配置.yaml",
            count=12,
        ),
        N3,
        Role.ROOT,
        evidence=("E1",),
        fixes=("X1",),
        onset=BOOT,
    )
    fix = Fix(
        what=T("恢复文件{path}并启动kubelet", path="config.yaml"),
        safety=Safety.REVERSIBLE,
        commands=("sudo systemctl start kubelet",),
    )
    return Report(
        run="node-6666666666",
        question=Question(command="node-why", target="node-3", cluster="prod-cn", lang="zh-CN"),
        cluster="prod-cn",
        observed_at=AT,
        duration_ms=64_000,
        status=Status.CRITICAL,
        summary=Summary(wrong=entry.finding.title, why=entry.finding.title, next=fix.what),
        roots=(Root(finding="F1", chain=("F1",)),),
        entries=(entry,),
        counts=Counts(found=1, clean=30, skipped=0, failed=0),
        remedies=(Remedy(id="X1", finding="F1", fix=fix),),
        exhibits=(proof(1, Source.LOG, "node-3: journalctl -u kubelet", "打开文件失败：没有那个文件或目录"),),
    )


REPORTS = {
    "chinese": chinese(),
    "metrics-incident": metrics_incident(),
    "healthy": healthy(),
    "incomplete": incomplete(),
    "unreachable": unreachable(),
    "unproven": unproven(),
    "hostile": hostile(),
    "crowded": crowded(),
}
