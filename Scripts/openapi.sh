#!/usr/bin/env bash
# Holds a running server against its own description: schemathesis sends what /openapi.json allows
# and forbids, and checks status, type and shape of the answers.
#
# Needs PyPI the first time; pictures that are none may be refused (positive_data_acceptance).
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
python=.build/schemathesis
if [ ! -x "$python/bin/schemathesis" ]; then
  python3 -m venv "$python"
  "$python/bin/pip" install --quiet 'schemathesis==4.32.5'
fi
.build/release/roc-serve --checkpoint Examples/demo-checkpoint --queue 1000 --port 0 \
  2> "$folder/log" &
server=$!
trap 'kill $server 2> /dev/null; wait $server || true; rm -r "$folder"' EXIT
for _ in $(seq 100); do
  address=$(grep -o 'http://[0-9.:]*' "$folder/log" || true)
  [ -z "$address" ] || break
  kill -0 $server 2> /dev/null || { cat "$folder/log" >&2; exit 1; }
  sleep 0.1
done
PYTHONPATH=Tests/OpenAPI SCHEMATHESIS_HOOKS=roc_hooks "$python/bin/schemathesis" run \
  "$address/openapi.json" --max-examples "${EXAMPLES:-600}" --seed "${SEED:-1}" --no-color \
  --exclude-checks positive_data_acceptance
