#!/usr/bin/env bash
# Installs pinned tools into a folder, builds the package there, then lints, checks types and runs every test against the
# program that STRONGROOM_BIN names. Exit code 75 where they cannot be installed: nothing was judged then.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
exec 9>"$folder/lock"
flock 9

{ command -v node && command -v npm; } >/dev/null || exit 75
stamp=$(sha256sum <"$here/package-lock.json" | cut -d ' ' -f 1)
rm -rf "$folder"/{src,test,dist,built} "$folder"/example-*
cp -r "$here"/{src,test,README.md} "$here"/*.json "$folder/"
cd "$folder"
if [ "$(cat stamp 2>/dev/null)" != "$stamp" ]; then
  npm ci --silent --no-audit --no-fund --ignore-scripts || exit 75
  printf '%s' "$stamp" >stamp
fi
# The name of the package is found here as it is where it is installed: by the exports of package.json.
npm run --silent build
npm run --silent check
STRONGROOM_REPOSITORY=$(cd "$here/../.." && pwd) npm run --silent test
