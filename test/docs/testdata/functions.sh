# Copyright 2026 The Medblocks Webhook Operator Authors.
# SPDX-License-Identifier: Apache-2.0
#
# What the hidden commands of pages (<!-- run: … -->) may use beside kubectl, to make the things that a page takes for granted. The
# environment has the URL of the emulator in EMULATOR and the page's API key in API_KEY.

# api_key [NAME]: the Secret with the page's API key.
api_key() {
  kubectl create secret generic "${1:-medblocks-api-key}" --from-literal=MEDBLOCKS_API_KEY="$API_KEY" --dry-run=client -o yaml |
    kubectl apply -f -
}

# endpoint NAME [URL]: a resource, registered.
endpoint() {
  api_key
  kubectl apply -f - <<END
apiVersion: connect.medblocks.com/v1alpha1
kind: MedblocksWebhookEndpoint
metadata:
  name: $1
spec:
  url: ${2:-https://api.example.com/medblocks/webhook}
  events: ["*"]
  apiKeySecretRef:
    name: medblocks-api-key
END
  kubectl wait --for=condition=Ready "mwe/$1" --timeout=60s
}

# medblocks CALL [CURL ARGUMENTS]: a call of the admin surface of the emulator, or of Medblocks itself.
medblocks() {
  local call=$1
  shift
  curl -sSf "$EMULATOR/$call" -H "Authorization: Bearer $API_KEY" "$@"
}

# fire [TYPE]: an event for every active endpoint of the page's workspace. Receivers elsewhere are never reached: nine attempts
# fail within a second.
fire() {
  medblocks _emulator/events -d "{\"api_key\":\"$API_KEY\",\"type\":\"${1:-patient_flow.completed}\"}"
}

# dashboard ACTION NAME: disable, enable or rotate, as a person does it in the dashboard.
dashboard() {
  medblocks "_emulator/endpoints/$(kubectl get mwe "$2" -o jsonpath='{.status.endpointID}')/$1" -X POST
}

# autodisable NAME: events fail until Medblocks disables the endpoint, and the operator has noticed.
autodisable() {
  fire
  kubectl wait --for=jsonpath='{.status.endpoint.status}'=disabled "mwe/$1" --timeout=60s
}
