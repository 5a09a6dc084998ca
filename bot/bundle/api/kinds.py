"""The kinds that Kubernetes itself serves, one a line: the data behind ``resources.py``.

Columns: group, versions (``v1@21`` since 1.21, ``v1beta1@8-24`` from 1.8 to 1.24), plural, kind, scope, name of its
file in the base layout (docs/bundle.md), short names, categories, verbs, subresources; ``-`` is none. Taken from the
discovery of a 1.36 API server; the releases from the Kubernetes deprecation guide.
"""

from __future__ import annotations

TABLE = """
core v1 bindings Binding ns - - - create -
core v1 componentstatuses ComponentStatus cluster - cs - read -
core v1 configmaps ConfigMap ns configmaps cm - full -
core v1 endpoints Endpoints ns endpoints ep - full -
core v1 events Event ns events ev - full -
core v1 limitranges LimitRange ns limitranges limits - full -
core v1 namespaces Namespace cluster namespaces ns - no-collection finalize,status
core v1 nodes Node cluster nodes no - full proxy,status
core v1 persistentvolumeclaims PersistentVolumeClaim ns pvcs pvc - full status
core v1 persistentvolumes PersistentVolume cluster pvs pv - full status
core v1 pods Pod ns pods po all full attach,binding,ephemeralcontainers,eviction,exec,log,portforward,proxy,resize,status
core v1 podtemplates PodTemplate ns - - - full -
core v1 replicationcontrollers ReplicationController ns - rc all full scale,status
core v1 resourcequotas ResourceQuota ns resource-quota quota - full status
core v1 secrets Secret ns - - - full -
core v1 serviceaccounts ServiceAccount ns serviceaccounts sa - full token
core v1 services Service ns services svc all full proxy,status
apiregistration.k8s.io v1@10,v1beta1@7-21 apiservices APIService cluster - - api-extensions full status
apps v1@9 controllerrevisions ControllerRevision ns - - - full -
apps v1@9 daemonsets DaemonSet ns daemonsets ds all full status
apps v1@9 deployments Deployment ns deployments deploy all full scale,status
apps v1@9 replicasets ReplicaSet ns replicasets rs all full scale,status
apps v1@9 statefulsets StatefulSet ns statefulsets sts all full scale,status
extensions v1beta1@1-15 daemonsets DaemonSet ns daemonsets ds - full status
extensions v1beta1@1-15 deployments Deployment ns deployments deploy - full scale,status
extensions v1beta1@1-21 ingresses Ingress ns ingress ing - full status
extensions v1beta1@1-15 replicasets ReplicaSet ns replicasets rs - full scale,status
events.k8s.io v1@19,v1beta1@8-24 events Event ns events ev - full -
authentication.k8s.io v1@28 selfsubjectreviews SelfSubjectReview cluster - - - create -
authentication.k8s.io v1 tokenreviews TokenReview cluster - - - create -
authorization.k8s.io v1 localsubjectaccessreviews LocalSubjectAccessReview ns - - - create -
authorization.k8s.io v1 selfsubjectaccessreviews SelfSubjectAccessReview cluster - - - create -
authorization.k8s.io v1 selfsubjectrulesreviews SelfSubjectRulesReview cluster - - - create -
authorization.k8s.io v1 subjectaccessreviews SubjectAccessReview cluster - - - create -
autoscaling v2@23,v1,v2beta2@12-25,v2beta1@8-24 horizontalpodautoscalers HorizontalPodAutoscaler ns hpas hpa all full status
batch v1@21,v1beta1@8-24 cronjobs CronJob ns cronjobs cj all full status
batch v1 jobs Job ns jobs - all full status
certificates.k8s.io v1@19,v1beta1@4-21 certificatesigningrequests CertificateSigningRequest cluster certificatesigningrequests csr - full approval,status
networking.k8s.io v1@19,v1beta1@18-21 ingressclasses IngressClass cluster ingress-classes - - full -
networking.k8s.io v1@19,v1beta1@14-21 ingresses Ingress ns ingress ing - full status
networking.k8s.io v1@33 ipaddresses IPAddress cluster - ip - full -
networking.k8s.io v1@7 networkpolicies NetworkPolicy ns network-policy netpol - full -
networking.k8s.io v1@33 servicecidrs ServiceCIDR cluster - - - full status
policy v1@21,v1beta1@5-24 poddisruptionbudgets PodDisruptionBudget ns pod-disruption-budgets pdb - full status
rbac.authorization.k8s.io v1@8 clusterrolebindings ClusterRoleBinding cluster clusterrolebindings - - full -
rbac.authorization.k8s.io v1@8 clusterroles ClusterRole cluster clusterroles - - full -
rbac.authorization.k8s.io v1@8 rolebindings RoleBinding ns rolebindings - - full -
rbac.authorization.k8s.io v1@8 roles Role ns roles - - full -
storage.k8s.io v1@18,v1beta1@14-21 csidrivers CSIDriver cluster - - - full -
storage.k8s.io v1@17,v1beta1@14-21 csinodes CSINode cluster - - - full -
storage.k8s.io v1@24,v1beta1@21-26 csistoragecapacities CSIStorageCapacity ns - - - full -
storage.k8s.io v1@6 storageclasses StorageClass cluster storage-classes sc - full -
storage.k8s.io v1@13,v1beta1@10-21 volumeattachments VolumeAttachment cluster volumeattachments - - full status
storage.k8s.io v1@34 volumeattributesclasses VolumeAttributesClass cluster - vac - full -
admissionregistration.k8s.io v1@36 mutatingadmissionpolicies MutatingAdmissionPolicy cluster - - api-extensions full -
admissionregistration.k8s.io v1@36 mutatingadmissionpolicybindings MutatingAdmissionPolicyBinding cluster - - api-extensions full -
admissionregistration.k8s.io v1@16,v1beta1@9-21 mutatingwebhookconfigurations MutatingWebhookConfiguration cluster mutating-webhook-configurations - api-extensions full -
admissionregistration.k8s.io v1@30 validatingadmissionpolicies ValidatingAdmissionPolicy cluster - - api-extensions full status
admissionregistration.k8s.io v1@30 validatingadmissionpolicybindings ValidatingAdmissionPolicyBinding cluster - - api-extensions full -
admissionregistration.k8s.io v1@16,v1beta1@9-21 validatingwebhookconfigurations ValidatingWebhookConfiguration cluster validating-webhook-configurations - api-extensions full -
apiextensions.k8s.io v1@16,v1beta1@7-21 customresourcedefinitions CustomResourceDefinition cluster custom-resource-definitions crd,crds api-extensions full status
scheduling.k8s.io v1@14 priorityclasses PriorityClass cluster priorityclasses pc - full -
coordination.k8s.io v1@14 leases Lease ns leases - - full -
node.k8s.io v1@20 runtimeclasses RuntimeClass cluster - - - full -
discovery.k8s.io v1@21,v1beta1@17-24 endpointslices EndpointSlice ns endpointslices - - full -
resource.k8s.io v1@34 deviceclasses DeviceClass cluster - - - full -
resource.k8s.io v1@34 resourceclaims ResourceClaim ns - - - full status
resource.k8s.io v1@34 resourceclaimtemplates ResourceClaimTemplate ns - - - full -
resource.k8s.io v1@34 resourceslices ResourceSlice cluster - - - full -
flowcontrol.apiserver.k8s.io v1@29 flowschemas FlowSchema cluster - - - full status
flowcontrol.apiserver.k8s.io v1@29 prioritylevelconfigurations PriorityLevelConfiguration cluster - - - full status
metrics.k8s.io v1beta1,v1 nodes NodeMetrics cluster nodemetrics,node-metrics - - read -
metrics.k8s.io v1beta1,v1 pods PodMetrics ns podmetrics,pod-metrics - - read -
"""  # noqa: E501 - a table
