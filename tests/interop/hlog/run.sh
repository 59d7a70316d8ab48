#!/bin/sh
# run.sh LOG [EXPECTED.json]: reads LOG with hdr-histogram-js (check.mjs says what is compared).
# Installs it below ${BUILD:-build/interop}; 77 if npm or its registry is not reachable.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 1 ] || { echo "usage: run.sh LOG [EXPECTED.json]" >&2; exit 2; }
for tool in node npm; do
    command -v "$tool" >/dev/null || { echo "SKIP: $tool is not installed"; exit 77; }
done

build=${BUILD:-build/interop}/hlog
mkdir -p "$build"
if ! cmp -s "$here/package-lock.json" "$build/node_modules/.installed"; then
    cp "$here/package.json" "$here/package-lock.json" "$build/"
    if ! (cd "$build" && npm ci --ignore-scripts --no-audit --no-fund --fetch-retries=1 \
        --fetch-retry-mintimeout=1000) >"$build/npm.log" 2>&1; then
        if grep -Eq 'EUSAGE|EINTEGRITY' "$build/npm.log"; then
            cat "$build/npm.log" >&2
            exit 1
        fi
        echo "SKIP: npm not reachable"
        exit 77
    fi
    cp "$here/package-lock.json" "$build/node_modules/.installed"
fi
cp "$here/check.mjs" "$build/"
exec node "$build/check.mjs" "$@"
