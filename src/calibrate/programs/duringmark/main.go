// Command duringmark compares a mutator's costs while nothing else runs with its costs while another goroutine keeps
// the collector marking (GOMAXPROCS=2). Chunks of operations are sorted by the phase seen before and after them; the
// median and the first quartile of the chunks are printed. Usage duringmark [prices|slice]: only what prices are made of,
// or with a live slice instead of a live list. Build with -ldflags=-checklinkname=0 on Go 1.23.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sort"
	"time"
	"unsafe"
)

//go:linkname gcphase runtime.gcphase
var gcphase uint32

type node struct {
	next *node
	rest [7]uint64
}

type leaf struct {
	p    *byte
	rest [7]uint64
}

var (
	live    *node
	slice   []*[64]byte
	sink    unsafe.Pointer
	sinkLen int
	field   [1 << 14]*node
	words   [1 << 16]uint64
	table   = map[int]int{}
	ptrs    = map[int]*node{}
)

const chunk = 500

var operations = []struct {
	name   string
	priced bool // a price is made of it
	do     func(i int)
}{
	{"compute-512KiB", false, func(i int) {
		for j := 0; j < chunk; j++ {
			words[(i*chunk+j)*8&(1<<16-1)]++
		}
	}},
	{"alloc-noscan-16", true, func(int) {
		for j := 0; j < chunk; j++ {
			sink = unsafe.Pointer(new([16]byte))
		}
	}},
	{"alloc-noscan-64", true, func(int) {
		for j := 0; j < chunk; j++ {
			sink = unsafe.Pointer(new([64]byte))
		}
	}},
	{"alloc-noscan-256", false, func(int) {
		for j := 0; j < chunk; j++ {
			sink = unsafe.Pointer(new([256]byte))
		}
	}},
	{"alloc-noscan-1024", false, func(int) {
		for j := 0; j < chunk; j++ {
			sink = unsafe.Pointer(new([1024]byte))
		}
	}},
	{"alloc-scan-64", true, func(int) {
		for j := 0; j < chunk; j++ {
			sink = unsafe.Pointer(new(leaf))
		}
	}},
	{"pointer-store-local", true, func(i int) {
		at := live
		for j := 0; j < chunk; j++ {
			field[(i*chunk+j)&(1<<14-1)] = at
		}
	}},
	{"map-lookup-1e6", false, func(i int) {
		for j := 0; j < chunk; j++ {
			sinkLen += table[(i*chunk+j)%1_000_000]
		}
	}},
	{"map-update-pointer-1e6", false, func(i int) {
		at := live
		for j := 0; j < chunk; j++ {
			ptrs[(i*chunk+j)%1_000_000] = at
		}
	}},
}

func main() {
	debug.SetGCPercent(-1)
	objects := 1 << 20
	if len(os.Args) > 1 && os.Args[1] == "slice" {
		for i := 0; i < objects; i++ {
			slice = append(slice, new([64]byte))
		}
		live = new(node)
	} else {
		for i := 0; i < objects; i++ {
			live = &node{next: live}
		}
	}
	for i := 0; i < 1_000_000; i++ {
		table[i] = i
		ptrs[i] = live
	}
	only := ""
	if len(os.Args) > 1 {
		only = os.Args[1]
	}
	for _, op := range operations {
		if only == "prices" && !op.priced {
			continue
		}
		var by [2][]float64
		stop := make(chan bool)
		for phase := 0; phase < 2; phase++ {
			if phase == 1 {
				go func() {
					for {
						select {
						case <-stop:
							stop <- true
							return
						default:
							runtime.GC()
						}
					}
				}()
			} else {
				runtime.GC()
			}
			until := time.Now().Add(time.Second)
			if phase == 0 {
				until = time.Now().Add(300 * time.Millisecond)
			}
			for i := 0; ; i++ {
				before := gcphase
				start := time.Now()
				op.do(i)
				ns := float64(time.Since(start).Nanoseconds()) / chunk
				after := gcphase
				if phase == 0 && before == 0 && after == 0 {
					by[0] = append(by[0], ns)
				} else if phase == 1 && before == 1 && after == 1 {
					by[1] = append(by[1], ns)
				}
				if i&15 == 0 && time.Now().After(until) {
					break
				}
			}
		}
		stop <- true
		<-stop
		for phase, name := range []string{"off", "marking"} {
			ns := by[phase]
			if len(ns) == 0 {
				continue
			}
			sort.Float64s(ns)
			sum := 0.0
			for _, x := range ns {
				sum += x
			}
			fmt.Printf("%s,duringmark,%s,%s,%.2f,%.2f,%.2f\n", runtime.Version(), op.name, name, ns[len(ns)/4], ns[len(ns)/2], sum/float64(len(ns)))
		}
	}
}
