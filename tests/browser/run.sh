#!/usr/bin/env bash
# The page of the lab in a real browser, over both carriers. Needs node, npm, Chromium (CHROMIUM, else /usr/bin/chromium) and the
# target wasm32-unknown-unknown.
#
#   tests/browser/run.sh            both carriers
#   tests/browser/run.sh native     gclab lab alone
set -euo pipefail
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cargo build --locked --release --manifest-path ../../Cargo.toml
GCLAB=${CARGO_TARGET_DIR:-$PWD/../../target}/release/gclab
export GCLAB
if [ "${1:-both}" = both ]; then
    ../../lab/build-site.sh "$scratch/site"
    export SITE=$scratch/site
    node same_bytes.mjs "$GCLAB" "$SITE/gclab.wasm"
fi
[ -d node_modules ] || npm install --no-audit --no-fund --silent
timeout 300 node --test --test-timeout=120000 lab.test.mjs
