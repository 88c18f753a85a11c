{{- define "gvDetails" -}}
{{- $gv := . -}}
{{- range $gv.SortedKinds }}
{{- $kind := . }}
{{- template "type" ($gv.TypeForKind $kind) }}
{{- /* Its spec and status, which carry its name. */ -}}
{{- range $gv.SortedTypes }}{{ if and (not .GVK) (hasPrefix $kind .Name) }}{{ template "type" . }}{{ end }}{{ end }}
{{- range $gv.SortedTypes }}{{ if and (not .GVK) (not (hasPrefix $kind .Name)) }}{{ template "type" . }}{{ end }}{{ end }}
{{- end }}
{{- end -}}
