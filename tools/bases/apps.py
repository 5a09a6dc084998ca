"""The workloads that people ask about: ``default/example-app`` and the ``shop``."""

# ruff: noqa: E501 - what a cluster prints is quoted on one line

from __future__ import annotations

from tools.bases.ids import DAY, Obj, ago, born, condition, iso, obj
from tools.bases.pods import container, probe, spec
from tools.bases.services import budget, service
from tools.bases.volume import add_volume
from tools.bases.workloads import deployment, statefulset
from tools.bases.world import World


def add_apps(world: World) -> None:
    """Add both namespaces' workloads."""
    _example_app(world)
    _web(world)
    _mysql(world)


def _example_app(world: World) -> None:
    app = container(
        "example-app",
        "registry.example.com/shop/example-app:2.4.1",
        ports={"http": 8080},
        env=[{"name": "API_URL", "value": "https://example-api.com"}, {"name": "DB_HOST", "value": "db.example.com"}],
        resources={"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        readinessProbe=probe("/healthz", "http"),
    )
    labels = {"app": "example-app"}
    fixed = ("10.176.98.29",) if world.spec.cni == "ipamd" else ()
    pods = deployment(
        world, "default", "example-app", labels, spec([app]), [world.spec.workers[0]], born(DAY), ips=fixed
    )
    for pod in pods:
        world.log(
            pod, "example-app", [f'{iso(ago(9 + 10 * i))} INFO "GET /healthz HTTP/1.1" 200 2ms' for i in range(5)][::-1]
        )
    service(
        world,
        "default",
        "example-app",
        world.spec.service_ip(58),
        [("http", 80, 8080, "TCP")],
        pods,
        born(DAY),
        selector=labels,
        labels=labels,
        target={"http": "http"},
    )


def _web(world: World) -> None:
    web = container(
        "web",
        "registry.example.com/shop/web:5.12.0",
        ports={"http": 8080},
        env=[{"name": "DB_HOST", "value": "mysql.shop.svc.cluster.local"}],
        resources={"requests": {"cpu": "200m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}},
        livenessProbe=probe("/livez", "http", delay=15),
        readinessProbe=probe("/readyz", "http"),
    )
    labels = {"app": "web"}
    workers = world.spec.workers
    pods = deployment(
        world, "shop", "web", labels, spec([web]), [workers[i % len(workers)] for i in range(3)], born(2 * DAY)
    )
    for pod in pods:
        world.log(pod, "web", [f'{iso(ago(7 + 10 * i))} INFO "GET /readyz HTTP/1.1" 200 1ms' for i in range(5)][::-1])
    service(
        world,
        "shop",
        "web",
        world.spec.service_ip(77),
        [("http", 80, 8080, "TCP")],
        pods,
        born(2 * DAY),
        selector=labels,
        labels=labels,
        target={"http": "http"},
    )
    budget(world, "shop", "web", labels, 3, born(2 * DAY))
    _hpa(world)


def _hpa(world: World) -> None:
    if world.spec.legacy:
        return
    since = born(2 * DAY + 30)
    target: Obj = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}},
    }
    current: Obj = {
        "type": "Resource",
        "resource": {"name": "cpu", "current": {"averageUtilization": 41, "averageValue": "82m"}},
    }
    world.add(
        obj(
            "autoscaling/v2",
            "HorizontalPodAutoscaler",
            "web",
            "shop",
            created=born(2 * DAY),
            spec={
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
                "minReplicas": 2,
                "maxReplicas": 8,
                "metrics": [target],
            },
            status={
                "lastScaleTime": iso(ago(5 * DAY)),
                "currentReplicas": 3,
                "desiredReplicas": 3,
                "currentMetrics": [current],
                "conditions": [
                    condition(
                        "AbleToScale", "True", since, "ReadyForNewScale", "recommended size matches current size"
                    ),
                    condition(
                        "ScalingActive",
                        "True",
                        since,
                        "ValidMetricFound",
                        "the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)",
                    ),
                    condition(
                        "ScalingLimited",
                        "False",
                        since,
                        "DesiredWithinRange",
                        "the desired count is within the acceptable range",
                    ),
                ],
            },
        )
    )


def _mysql(world: World) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "20Gi"}},
            "storageClassName": "standard",
            "volumeMode": "Filesystem",
        },
        "status": {"phase": "Pending"},
    }
    database = container(
        "mysql",
        "docker.io/library/mysql:8.0.43",
        ports={"mysql": 3306},
        env=[{"name": "MYSQL_ROOT_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "mysql", "key": "root-password"}}}],
        resources={"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"memory": "2Gi"}},
        mounts=[{"name": "data", "mountPath": "/var/lib/mysql"}],
        readinessProbe={
            "tcpSocket": {"port": 3306},
            "timeoutSeconds": 1,
            "periodSeconds": 10,
            "successThreshold": 1,
            "failureThreshold": 3,
        },
    )
    labels = {"app": "mysql"}
    host = world.spec.workers[2 % len(world.spec.workers)]
    created = born(2 * DAY)
    add_volume(world, host.name)
    pods = statefulset(world, "shop", "mysql", labels, spec([database]), [host], created, claims=[claim])
    for pod in pods:
        world.log(
            pod,
            "mysql",
            [
                f"{iso(born(2 * DAY + 9))[:-1]}.511203Z 0 [System] [MY-010931] [Server] /usr/sbin/mysqld: ready for connections. Version: '8.0.43'  socket: '/var/run/mysqld/mysqld.sock'  port: 3306  MySQL Community Server - GPL."
            ],
        )
    service(
        world, "shop", "mysql", "None", [("mysql", 3306, 3306, "TCP")], pods, created, selector=labels, labels=labels
    )
