#!/usr/bin/env bash
# A leveraged fund over ten years of sessions, with funding every eight hours: ours beside vectorbt and a loop, in one run.
set -euo pipefail
cd "$(dirname "$0")/.."
work=${TMPDIR:-/tmp}/strongroom-leverage-peers
mkdir -p "$work"
if [ ! -x "$work/venv/bin/python" ]; then
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" install -q vectorbt
fi
cargo run -q --release -p strongroom-bench --bin strongroom-bench -- leverage --growth "$work/ours.json"
"$work/venv/bin/python" bench/leverage_peers.py "$work/ours.json"
