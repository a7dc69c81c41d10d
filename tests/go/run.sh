#!/bin/sh
# Builds and runs the measuring programs: run.sh GO_ROOT [startup|steady|deletemillion|scavenge].
# GO_ROOT is an unpacked Go 1.21 or 1.23. Output is CSV on stdout (startup: stderr), without provenance columns.
# Wants a quiet machine with two cores; single-threaded programs are pinned to core 1.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$1
what=${2:-all}
bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
export GOTOOLCHAIN=local GO111MODULE=off
version=$("$root/bin/go" env GOVERSION)
link=
case $version in go1.2[01]*|go1.22*) ;; *) link=-ldflags=-checklinkname=0 ;; esac

wanted() { [ "$what" = all ] || [ "$what" = "$1" ]; }
build() { (cd "$here/$1" && "$root/bin/go" build $link -o "$bin/$1" .); }
one() { GOMAXPROCS=1 taskset -c 1 "$bin/$@"; }
two() { GOMAXPROCS=2 "$bin/$@"; }

if wanted startup; then
    echo "{\"Replace\":{\"$root/src/runtime/gclab_census.go\":\"$here/startup/overlay/runtime_census.go.txt\"}}" >"$bin/overlay.json"
    for tags in none fmt; do
        (cd "$here/startup" && "$root/bin/go" build $link -tags "$tags" -overlay "$bin/overlay.json" -o "$bin/startup" .)
        for procs in 1 2 4 8; do for _ in 1 2 3 4 5 6 7 8 9 10; do GOMAXPROCS=$procs "$bin/startup"; done; done
    done
fi
if wanted steady; then
    build steady
    one steady off 1024
    for _ in 1 2 3; do two steady 100 4096; done
    two steady 50 4096
    one steady 100 4096
fi
if wanted deletemillion; then
    build deletemillion
    for _ in 1 2 3; do for case in inline inline0 ptr ptr0; do one deletemillion $case off; done; done
fi
if wanted scavenge; then build scavenge; two scavenge; fi
