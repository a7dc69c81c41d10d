#!/usr/bin/env bash
# Builds the lab as a static site: a folder with the page and the simulator as WebAssembly, for any static host.
#
#   lab/build-site.sh FOLDER
#
# Needs the target once: rustup target add wasm32-unknown-unknown. Try the folder with: python3 -m http.server -d FOLDER
set -euo pipefail
if [ $# -ne 1 ]; then
    echo "usage: lab/build-site.sh FOLDER" >&2
    exit 2
fi
folder=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$(dirname "$0")/wasm"
target=${CARGO_TARGET_DIR:-$PWD/../../target}/site
cargo build --release --locked --target wasm32-unknown-unknown --target-dir "$target"
cp ../../src/lab/page/* "$folder/"
cp "$target/wasm32-unknown-unknown/release/gclab_wasm.wasm" "$folder/gclab.wasm"
printf '{"carrier":"wasm"}' >"$folder/carrier.json"
echo "The lab is in $folder: $(du -sh "$folder" | cut -f1)"
