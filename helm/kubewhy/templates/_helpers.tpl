{{- define "kubewhy.fullname" -}}
{{- if contains "kubewhy" .Release.Name }}{{ .Release.Name | trunc 52 | trimSuffix "-" }}{{ else }}{{ printf "%s-kubewhy" .Release.Name | trunc 52 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "kubewhy.labels" -}}
app.kubernetes.io/name: kubewhy
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "kubewhy.selector" -}}
app.kubernetes.io/name: kubewhy
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "kubewhy.serviceAccount" -}}
{{- default (ternary (include "kubewhy.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name }}
{{- end }}
