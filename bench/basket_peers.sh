#!/usr/bin/env bash
# A basket of ten assets over five years of sessions: one run and a sweep of 200, ours beside numpy, vectorbt and bt, in one run.
#   bench/basket_peers.sh PEER_FOLDER     PEER_FOLDER holds baseline_backtest.py and requirements.txt
set -euo pipefail
cd "$(dirname "$0")/.."
peers=${1:?give the folder of baseline_backtest.py}
work=${TMPDIR:-/tmp}/strongroom-basket-peers
mkdir -p "$work"
if [ ! -x "$work/venv/bin/python" ]; then
  python3 -m venv "$work/venv"
  grep -E "^(numpy|pandas|numba|vectorbt|bt|ffn)==" "$peers/requirements.txt" | xargs "$work/venv/bin/pip" install -q
fi
"$work/venv/bin/python" bench/basket_peers.py "$peers" make "$work/given.json"
cargo run -q --release -p strongroom-bench --bin strongroom-bench -- baskets --given "$work/given.json" --growth "$work/ours.json"
"$work/venv/bin/python" bench/basket_peers.py "$peers" judge "$work/given.json" "$work/ours.json"
