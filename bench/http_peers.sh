#!/usr/bin/env bash
# Signed requests over HTTP, ours beside nginx with an HMAC in njs and servers around the PyPI and npm packages
# http-message-signatures, in one run. Needs nginx and libnginx-mod-http-js, python3 with venv, node and npm.
#   bench/http_peers.sh [ARGUMENTS OF strongroom-bench http]
set -euo pipefail
cd "$(dirname "$0")/.."
work=${CARGO_TARGET_DIR:-target}/http-peers
mkdir -p "$work/nginx"
work=$(cd "$work" && pwd)
tools/interop/install.sh "$work/packages"
cargo build -q --release -p strongroom-bench
sed -e "s|SCRIPTS|$PWD/bench/http_peers|" -e "s|PORT|8191|" \
  -e "s|MODULES|${NGINX_MODULES:-/usr/lib/nginx/modules}|" bench/http_peers/nginx.conf >"$work/nginx/nginx.conf"
servers=()
stop() { kill "${servers[@]}" 2>/dev/null || true; }
trap stop EXIT
taskset -c 0 nginx -p "$work/nginx" -c nginx.conf &
servers+=($!)
taskset -c 0 "$work/packages/python/bin/python" bench/http_peers/serve.py 8192 &
servers+=($!)
taskset -c 0 node bench/http_peers/serve.mjs 8193 "$work/packages" &
servers+=($!)
for port in 8191 8192 8193; do
  for _ in $(seq 50); do (: >"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break || sleep 0.2; done
done
"${CARGO_TARGET_DIR:-target}/release/strongroom-bench" http \
  --peer "nginx with njs,127.0.0.1:8191,hmac-sha256" \
  --peer "PyPI,127.0.0.1:8192,hmac-sha256" --peer "PyPI,127.0.0.1:8192,ed25519" \
  --peer "npm,127.0.0.1:8193,hmac-sha256" --peer "npm,127.0.0.1:8193,ed25519" "$@"
