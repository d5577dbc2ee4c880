#!/usr/bin/env bash
# The reference rate of ten million trades, ours beside numpy, Polars and DuckDB, in one run.
# Makes a virtual environment for the peers, lets the peer script write its trades as Parquet, and reads the same file.
#   bench/rate_peers.sh PEER_FOLDER [TRADES]     PEER_FOLDER holds baseline_brr.py and requirements.txt
set -euo pipefail
cd "$(dirname "$0")/.."
peers=${1:?give the folder of baseline_brr.py}
trades=${2:-10000000}
work=${TMPDIR:-/tmp}/strongroom-rate-peers
mkdir -p "$work"
if [ ! -x "$work/venv/bin/python" ]; then
  python3 -m venv "$work/venv"
  grep -E "^(numpy|polars|duckdb|pyarrow)==" "$peers/requirements.txt" | xargs "$work/venv/bin/pip" install -q
fi
cargo build -q --release -p strongroom-bench --bin strongroom-bench
PEER_DATA="$work" "$work/venv/bin/python" "$peers/baseline_brr.py" "$trades" --json "$work/peers.json" >/dev/null
cargo run -q --release -p strongroom-bench --bin strongroom-bench -- rate --parquet "$work/trades_$trades.parquet" --peers "$work/peers.json"
