#!/bin/sh
# Builds and runs the measuring programs: run.sh GO_ROOT [startup|malloc|pages|maps|mark|sweep|runtimecosts|duringmark|steady|deletemillion|scavenge].
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
if wanted pages; then build pages; one pages; fi
if wanted malloc; then
    build malloc
    for object in n8 n16 n24 n32 n48 n64 n96 n128 n256 n512 n1024 n2048 n4096 n8192 n16k n32k n64k n1m \
        s16 s24 s32 s48 s64 s96 s128 s256 s512 s1024 s2048 s4096 s8192 s16k s64k s1m p16 p64 p256 p512 p1024 p8192 p64k p1m \
        curve256 curve4096; do one malloc $object; done
fi
if wanted maps; then
    build maps
    for entries in "100 9" "1000 9" "10000 9" "100000 9" "1000000 5" "4000000 3"; do one maps $entries; done
    for log_buckets in 6 10 13 16 17 18 19; do one maps evacuate $log_buckets; done
    for log_buckets in 8 11 14 17 18; do one maps load $log_buckets; done
fi
if wanted mark; then
    build mark
    for mib in 1 4 16 64 256; do
        one mark empty 0 0
        for size in 16 32 64 128 256 1024; do one mark list $size $mib; one mark listshuffled $size $mib; done
        for size in 16 32 64 256 1024 8192; do one mark noscanslice $size $mib; one mark noscanshuffled $size $mib; done
        for size in 16 32 64 256 1024; do one mark scanslice $size $mib; one mark scanshuffled $size $mib; done
        for size in 64 256 1024 8192; do one mark wordslice $size $mib; one mark wordshuffled $size $mib; done
        for size in 64 256 1024; do one mark listwords $size $mib; one mark listwordsshuffled $size $mib; done
        for size in 48 64; do one mark tree $size $mib; one mark treepost $size $mib; done
        for shape in graph2 graph4 mapptr mapnil mapint listback; do one mark $shape 64 $mib; done
        one mark nilarray 8 $mib
        one mark fewarray 8 $mib
        for shape in empty list noscanslice scanslice treepost tree graph2 nilarray mapptr twolists fourlists; do two mark $shape 64 $mib; done
    done
fi
if wanted sweep; then
    build sweep
    for size in 16 64 256 1024 8192 65536 1048576; do for pattern in live half dead; do one sweep $size $pattern 128; done; done
fi
if wanted runtimecosts; then build runtimecosts; one runtimecosts; two runtimecosts; fi
if wanted duringmark; then build duringmark; two duringmark; two duringmark slice; fi
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
