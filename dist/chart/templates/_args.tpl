{{/* Flags of the operator, as a list in YAML. Argument: a dict with root and shard. */}}
{{- define "medblocks-webhook-operator.args" -}}
- --leader-elect
- --health-probe-bind-address=:8081
{{- with .root.Values.metrics }}
{{- if .enabled }}
- --metrics-bind-address=:{{ .port }}
- --metrics-secure{{ if not .secure }}=false{{ end }}
{{- else }}
- --metrics-bind-address=0
{{- end }}
{{- end }}
{{- $values := .root.Values }}
{{- with .shard }}
{{- with .watchNamespaces }}
- --watch-namespaces={{ join "," . }}
{{- end }}
{{- with .watchLabelSelector }}
- {{ printf "--watch-label-selector=%s" . | quote }}
{{- end }}
{{- with $values.clusterID }}
- {{ printf "--cluster-id=%s" . | quote }}
{{- end }}
{{- if or .watchNamespaces .watchLabelSelector (ne .lease "medblocks-webhook-operator.connect.medblocks.com") }}
- --leader-election-id={{ .lease }}
{{- end }}
{{- end }}
{{- with .root.Values }}
{{- if .readOnly }}
- --read-only
{{- end }}
{{- if ne .secretAccess "watch" }}
- --secret-access={{ .secretAccess }}
{{- end }}
{{- with .apiQPS }}
- --api-qps={{ . }}
{{- end }}
{{- with .apiBurst }}
- --api-burst={{ int . }}
{{- end }}
{{- with .apiTimeout }}
- --api-timeout={{ . }}
{{- end }}
{{- with .apiBaseURL }}
- {{ printf "--api-base-url=%s" . | quote }}
{{- end }}
{{- with .pollInterval }}
- --poll-interval={{ . }}
{{- end }}
{{- with .disabledPollInterval }}
- --disabled-poll-interval={{ . }}
{{- end }}
{{- with .maxConcurrentReconciles }}
- --max-concurrent-reconciles={{ int . }}
{{- end }}
{{- with .allowedEnvironments }}
- --allowed-environments={{ join "," . }}
{{- end }}
{{- with .probeAllowCIDRs }}
- {{ printf "--probe-allow-cidr=%s" (join "," .) | quote }}
{{- end }}
{{- with .extraArgs }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- with .shard.extraArgs }}
{{ toYaml . }}
{{- end }}
{{- end }}
