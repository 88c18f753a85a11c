{{/* Beginning of all names, and the names of config/ when the release is called as the chart. */}}
{{- define "medblocks-webhook-operator.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" (.Release.Name | trunc 13 | trimSuffix "-") .Chart.Name -}}
{{- end -}}
{{- end }}

{{/* Labels of everything that is installed. The chart's own win: they are selected by. */}}
{{- define "medblocks-webhook-operator.labels" -}}
{{- $ours := include "medblocks-webhook-operator.selector" . | fromYaml -}}
{{- $_ := set $ours "app.kubernetes.io/version" .Chart.AppVersion -}}
{{- $_ := set $ours "app.kubernetes.io/managed-by" .Release.Service -}}
{{- $_ := set $ours "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_") -}}
{{- mergeOverwrite (dict) (.Values.commonLabels | default dict) $ours | toYaml -}}
{{- end }}

{{/* Labels that the Pods of all shards have and nothing else has. */}}
{{- define "medblocks-webhook-operator.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Labels of the Pods of one shard. Argument: a dict with root and shard. */}}
{{- define "medblocks-webhook-operator.shardSelector" -}}
{{ include "medblocks-webhook-operator.selector" .root }}
{{- with .shard.name }}
app.kubernetes.io/component: shard-{{ . }}
{{- end }}
{{- end }}

{{- define "medblocks-webhook-operator.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "medblocks-webhook-operator.fullname" .) -}}
{{- end }}

{{- define "medblocks-webhook-operator.priorityClass" -}}
{{- .Values.priorityClass.name | default (.Values.priorityClass.create | ternary (include "medblocks-webhook-operator.fullname" .) "") -}}
{{- end }}

{{/* The operators to run, as a list in YAML: the shards, or the one without a name. */}}
{{- define "medblocks-webhook-operator.shards" -}}
{{- if and .Values.shards .Values.watchLabelSelector -}}
{{- fail "watchLabelSelector and shards: give each shard a watchLabelSelector of its own" -}}
{{- end -}}
{{- $shards := list -}}
{{- $names := list -}}
{{- range .Values.shards | default (list (dict "watchLabelSelector" .Values.watchLabelSelector)) -}}
{{- $shard := mergeOverwrite (dict "watchNamespaces" $.Values.watchNamespaces "replicas" $.Values.replicas "resources" (deepCopy ($.Values.resources | default dict))) . -}}
{{- if and $.Values.shards (not $shard.watchNamespaces) (not $shard.watchLabelSelector) -}}
{{- fail (printf "shards: %s needs a watchLabelSelector or watchNamespaces, or it would manage what the others manage" $shard.name) -}}
{{- end -}}
{{- if and $shard.watchNamespaces (not $.Values.clusterID) -}}
{{- fail "clusterID is required with watchNamespaces: the default is the UID of kube-system, which cannot be read then" -}}
{{- end -}}
{{- if has $shard.name $names -}}
{{- fail (printf "shards: there are two of the name %s" $shard.name) -}}
{{- end -}}
{{- $names = append $names $shard.name -}}
{{- $fullname := include "medblocks-webhook-operator.fullname" $ -}}
{{- $lease := printf "%s.connect.medblocks.com" $fullname -}}
{{- if $shard.name -}}
{{- $fullname = printf "%s-%s" $fullname $shard.name -}}
{{- $lease = $fullname -}}
{{- end -}}
{{- $shards = append $shards (merge (dict "fullname" $fullname "lease" $lease) $shard) -}}
{{- end -}}
{{- toYaml $shards -}}
{{- end }}

{{/* Namespaces with a Role, as a list in YAML; empty when one operator works everywhere. */}}
{{- define "medblocks-webhook-operator.namespaces" -}}
{{- $namespaces := list -}}
{{- $everywhere := false -}}
{{- range include "medblocks-webhook-operator.shards" . | fromYamlArray -}}
{{- if .watchNamespaces -}}
{{- $namespaces = concat $namespaces .watchNamespaces -}}
{{- else -}}
{{- $everywhere = true -}}
{{- end -}}
{{- end -}}
{{- $everywhere | ternary list (uniq $namespaces) | toYaml -}}
{{- end }}

{{/* An object of config/rbac, by the names of this release. Argument: a dict with root, object and, for a Role elsewhere, namespace. */}}
{{- define "medblocks-webhook-operator.adapted" -}}
{{- $root := .root -}}
{{- $fullname := include "medblocks-webhook-operator.fullname" $root -}}
{{- $object := .object -}}
{{- $_ := set $object.metadata "name" ($object.metadata.name | replace $root.Chart.Name $fullname) -}}
{{- $ours := include "medblocks-webhook-operator.labels" $root | fromYaml -}}
{{- $_ := set $object.metadata "labels" (mergeOverwrite ($object.metadata.labels | default dict) $ours) -}}
{{- if or .namespace $object.metadata.namespace -}}
{{- $_ := set $object.metadata "namespace" (.namespace | default $root.Release.Namespace) -}}
{{- end -}}
{{- with $object.roleRef -}}
{{- $_ := set . "name" (.name | replace $root.Chart.Name $fullname) -}}
{{- end -}}
{{- range $object.subjects -}}
{{- $_ := set . "name" (include "medblocks-webhook-operator.serviceAccount" $root) -}}
{{- $_ := set . "namespace" $root.Release.Namespace -}}
{{- end -}}
{{- range $object.rules -}}
{{- if and (has "secrets" .resources) (eq $root.Values.secretAccess "get") -}}
{{- $_ := set . "verbs" (without .verbs "list" "watch") -}}
{{- end -}}
{{- if and (has "leases" .resources) .resourceNames -}}
{{- $leases := list -}}
{{- range include "medblocks-webhook-operator.shards" $root | fromYamlArray -}}
{{- $leases = append $leases .lease -}}
{{- end -}}
{{- $_ := set . "resourceNames" $leases -}}
{{- end -}}
{{- end -}}
{{- toYaml $object -}}
{{- end }}
