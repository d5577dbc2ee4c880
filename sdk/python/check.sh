#!/usr/bin/env bash
# Installs the package and pinned tools into a folder, then lints, checks types and runs every test against the program
# that STRONGROOM_BIN names. Exit code 75 where they cannot be installed: nothing was judged then.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
export PYTHONDONTWRITEBYTECODE=1
exec 9>"$folder/lock"
flock 9

stamp=$(sha256sum <"$here/requirements-dev.txt" | cut -d ' ' -f 1)
if [ "$(cat "$folder/stamp" 2>/dev/null)" != "$stamp" ]; then
  python3 -m venv --clear "$folder/venv" || exit 75
  "$folder/venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements-dev.txt" || exit 75
  printf '%s' "$stamp" >"$folder/stamp"
fi
# As a stranger gets it: built into a wheel, and installed from that.
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --no-build-isolation --force-reinstall "$here"

cd "$here"
PATH=$folder/venv/bin:$PATH
ruff check --no-cache .
ruff format --no-cache --check .
mypy --cache-dir "$folder/mypy" src tests
python ../../tools/interop/webhook_vectors.py check
python ../../tools/interop/structured_fields.py check
pytest -q
