#!/usr/bin/env bash
# Redraws the gallery: every scenario under its own settings, and two of them under several values of GOGC.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release
gclab() { cargo run --quiet --release -- "$@"; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

for sim in sims/*.toml; do
    gclab run "$sim" --out "$scratch" >/dev/null
    mv "$scratch/$(basename "$sim" .toml).png" plots/
done
compare() {
    gclab run "sims/$1.toml" --gogc "$2" --out "$scratch" >/dev/null 2>&1
    mv "$scratch/$1.png" "plots/$1-gogc.png"
}
compare steady-gogc 50,100,200,400
compare delete-million 50,100,200
ls -l plots/*.png
