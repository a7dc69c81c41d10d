// Command sweep times sweeping alone: it lets a cycle finish without its own sweeping and then calls the runtime's
// sweepone in a loop on the only P. usage sweep OBJECT_BYTES live|half|dead MIB, GOMAXPROCS=1.
// Build with -ldflags=-checklinkname=0 on Go 1.23.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sort"
	"strconv"
	"time"
	"unsafe"
)

//go:linkname gcphase runtime.gcphase
var gcphase uint32

//go:linkname sweepone runtime.sweepone
func sweepone() uintptr

var (
	keep []unsafe.Pointer
	sink unsafe.Pointer
)

func object(size int) unsafe.Pointer {
	switch size {
	case 16:
		return unsafe.Pointer(new([16]byte))
	case 64:
		return unsafe.Pointer(new([64]byte))
	case 256:
		return unsafe.Pointer(new([256]byte))
	case 1024:
		return unsafe.Pointer(new([1024]byte))
	case 8192:
		return unsafe.Pointer(new([8192]byte))
	case 65536:
		return unsafe.Pointer(new([65536]byte))
	case 1 << 20:
		return unsafe.Pointer(new([1 << 20]byte))
	}
	panic("no such size")
}

// repeats is n, or a third of it when CALIBRATE=quick.
func repeats(n int) int {
	if os.Getenv("CALIBRATE") == "quick" {
		return max(3, n/3)
	}
	return n
}

func main() {
	size, _ := strconv.Atoi(os.Args[1])
	pattern := os.Args[2]
	mib, _ := strconv.Atoi(os.Args[3])
	n := mib << 20 / size
	debug.SetGCPercent(-1)
	var ns []float64
	spans := 0
	for r := 0; r < repeats(7); r++ {
		keep = nil
		runtime.GC()
		runtime.GC()
		keep = make([]unsafe.Pointer, 0, n)
		for i := 0; i < n; i++ {
			p := object(size)
			switch {
			case pattern == "live", pattern == "half" && i&1 == 0:
				keep = append(keep, p)
			default:
				sink = p
			}
		}
		sink = nil
		runtime.GC() // flushes; for live and the pattern of interest the next cycle is a repetition
		if pattern != "live" {
			// The cycle above has swept the dead already: make them again.
			for i := 0; i < n/2 || (pattern == "dead" && i < n); i++ {
				sink = object(size)
			}
			sink = nil
		}
		debug.SetGCPercent(1)
		for gcphase == 0 {
			sink = unsafe.Pointer(new([40960]byte))
		}
		for gcphase != 0 {
			runtime.Gosched()
		}
		count := 0
		start := time.Now()
		for sweepone() != ^uintptr(0) {
			count++
		}
		took := float64(time.Since(start).Nanoseconds())
		spans = count
		ns = append(ns, took/float64(max(count, 1)))
		debug.SetGCPercent(-1)
	}
	sort.Float64s(ns)
	fmt.Printf("%s,sweep,%d,%s,%.1f,%.1f,%.1f,%d\n", runtime.Version(), size, pattern, ns[0], ns[len(ns)/4], ns[len(ns)/2], spans)
}
