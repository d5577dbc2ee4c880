#!/usr/bin/env bash
# Installs the pinned packages into a folder, for Python and for Node. A folder that is complete is left alone;
# of several that come at once, one installs and the others wait.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$1
stamp=$(cat "$here/requirements.txt" "$here/package-lock.json" | sha256sum | cut -d ' ' -f 1)
mkdir -p "$folder"
exec 9>"$folder/lock"
flock 9
if [ "$(cat "$folder/stamp" 2>/dev/null)" = "$stamp" ]; then
  exit 0
fi
python3 -m venv --clear "$folder/python"
"$folder/python/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
cp "$here/package.json" "$here/package-lock.json" "$folder/"
(cd "$folder" && npm ci --silent --no-audit --no-fund --ignore-scripts)
printf '%s' "$stamp" >"$folder/stamp"
