{{- define "gvList" -}}
# Reference of the resource

Every field of `MedblocksWebhookEndpoint`, generated from the Go types by `make docs`: edit the comments in `api/v1alpha1`, not this page.
`kubectl explain mwe.spec` shows the same in a terminal. The resource comes first, with its spec and status; the types that
they are made of follow in alphabetical order.
{{ range . }}
{{ template "gvDetails" . }}
{{- end }}
{{- end -}}
