#!/usr/bin/env bash
# smoke.sh IMAGE: starts the daemon as it is shipped, waits until it is healthy, and ends it.
# ENGINE is docker, podman, or what starts one of them. Prints how long each took.
set -euo pipefail
image=${1:?the image}
read -ra engine <<<"${ENGINE:-docker}"
name=reconciler-smoke-$$

seconds() { date +%s.%N; }
passed() { awk -v from="$1" -v to="$(seconds)" 'BEGIN { printf "%.1f", to - from }'; }
trap '"${engine[@]}" rm -f "$name" >/dev/null 2>&1 || true' EXIT

started=$(seconds)
# Neither database nor venue is there: it must live all the same, and say so in /health.
"${engine[@]}" run -d --name "$name" --read-only --tmpfs /tmp --cap-drop all \
  --security-opt no-new-privileges -e RECONCILER_HTTP__PORT="${PORT:-8080}" \
  -e DATABASE_URL=postgresql://nobody:nothing@127.0.0.1:1/none \
  -e RECONCILER_ACCOUNTS__MAIN__VENUE=binanceusdm -e RECONCILER_ACCOUNTS__MAIN__API_KEY=none \
  -e RECONCILER_ACCOUNTS__MAIN__SECRET=none \
  -e RECONCILER_ACCOUNTS__MAIN__BASE_URL=http://127.0.0.1:1 "$image" >/dev/null
until "${engine[@]}" exec "$name" /opt/reconciler/bin/python -I -S /opt/reconciler/health.py; do
  if (($(date +%s) > ${started%.*} + 30)); then
    "${engine[@]}" logs "$name"
    echo "not healthy within 30 s" >&2
    exit 1
  fi
  sleep 0.2
done
echo "healthy after $(passed "$started") s"

ending=$(seconds)
"${engine[@]}" stop --time 10 "$name" >/dev/null
took=$(passed "$ending")
code=$("${engine[@]}" inspect --format '{{.State.ExitCode}}' "$name")
echo "ended with exit $code after $took s"
awk -v took="$took" -v code="$code" 'BEGIN { exit !(code == 0 && took < 5) }'
