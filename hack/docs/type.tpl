{{- define "type" -}}
{{- $type := . -}}
{{- if markdownShouldRenderType $type }}

## {{ $type.Name }}

{{ $type.Doc }}
{{- if $type.GVK }}

`apiVersion: {{ $type.GVK.Group }}/{{ $type.GVK.Version }}`, `kind: {{ $type.GVK.Kind }}`
{{- end }}
{{- if $type.SortedReferences }}

Used in: {{ range $i, $reference := $type.SortedReferences }}{{ if $i }}, {{ end }}{{ markdownRenderTypeLink $reference }}{{ end }}.
{{- end }}
{{- if $type.Members }}

| Field | Type | | Description |
| --- | --- | --- | --- |
{{- range $type.Members }}
| `{{ .Name }}` | {{ markdownRenderType .Type }} | {{ template "required" .Validation }} | {{ template "type_members" . }} |
{{- end }}
{{- end }}
{{- if $type.EnumValues }}

| Value | |
| --- | --- |
{{- range $type.EnumValues }}
| `{{ .Name }}` | {{ template "one_line" .Doc }} |
{{- end }}
{{- end }}
{{- template "limits" $type.Validation }}
{{- end }}
{{- end -}}

{{- /* Whether a field must be there: the marker for it is one of the validations. */ -}}
{{- define "required" -}}
{{- range . }}{{ if hasPrefix "Required" . }}required{{ end }}{{ end }}
{{- end -}}

{{- /* The validations of a type that say something a reader needs: not the ones that other columns show already. */ -}}
{{- define "limits" -}}
{{- $limits := list -}}
{{- range . }}{{ if not (or (hasPrefix "Required" .) (hasPrefix "Optional" .) (hasPrefix "Type" .) (hasPrefix "Enum" .)) }}{{ $limits = append $limits . }}{{ end }}{{ end -}}
{{- if $limits }}

Limits: {{ range $i, $limit := $limits }}{{ if $i }}, {{ end }}`{{ $limit | replace "\x60" "" | trim }}`{{ end }}.
{{- end }}
{{- end -}}

{{- /* A comment in one line, as a cell of a table. */ -}}
{{- define "one_line" -}}
{{ markdownRenderFieldDoc . | replace "<br />" " " | trim }}
{{- end -}}
