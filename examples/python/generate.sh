#!/bin/sh
# The client is made from the document of the server it will talk to, so that the two always fit.
set -eu
cd "$(dirname "$0")"
mkdir -p generated
openapi-python-client generate \
    --url "${VITALCAST_URL:-http://127.0.0.1:8001}/openapi.json" \
    --config generator.yaml --meta none --fail-on-warning \
    --output-path generated/vitalcast_client --overwrite
