{{- define "type_members" -}}
{{- if and (eq .Name "metadata") (not .Doc) -}}
Kubernetes' own object metadata.
{{- else -}}
{{ template "one_line" .Doc }}
{{- end -}}
{{- end -}}
