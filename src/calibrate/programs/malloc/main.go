// Command malloc times allocation by size and kind with the collector off, in the situations an allocator meets:
//
//	fresh      memory nobody has used: no zeroing; nothing is written, so nothing faults beyond what malloc itself writes
//	touched    fresh memory, first word of every object and of every 4 KiB written
//	recycled   64 MiB of dead, swept, wholly free spans (out of cache)
//	cached     512 KiB of dead, swept spans, over and over (in cache)
//	halfdead   64 MiB of swept spans in which every second slot is taken
//	clearing   (not an allocation) a buffer of the given bytes is cleared in pieces of 8 KiB, nanoseconds a byte
//
// Each line is the minimum and the median over the repetitions, in nanoseconds an object.
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

var sink unsafe.Pointer

type scan[R any] struct {
	p    *byte
	rest R
}

// allocate makes n objects and returns the time an object took.
func allocate[T any](n int) float64 {
	start := time.Now()
	for i := 0; i < n; i++ {
		sink = unsafe.Pointer(new(T))
	}
	return float64(time.Since(start).Nanoseconds()) / float64(n)
}

func allocateAndTouch[T any](n int) float64 {
	size := unsafe.Sizeof(*new(T))
	start := time.Now()
	for i := 0; i < n; i++ {
		p := unsafe.Pointer(new(T))
		sink = p
		for at := uintptr(0); at < size; at += 4096 {
			*(*uint64)(unsafe.Add(p, at)) = 0
		}
	}
	return float64(time.Since(start).Nanoseconds()) / float64(n)
}

// curve allocates totals of 256 KiB to 512 MiB on recycled memory: how the price of clearing grows with the working set.
func curve[T any]() {
	size := int(unsafe.Sizeof(*new(T)))
	for total := 256 << 10; total <= 512<<20; total *= 2 {
		n := total / size
		var ns []float64
		for r := 0; r < max(5, min(100, (256<<20)/total)); r++ {
			ns = append(ns, allocateAndTouch[T](n))
			sink = nil
			runtime.GC()
		}
		sort.Float64s(ns)
		fmt.Printf("%s,malloc-curve,noscan,%d,%d,%.2f,%.2f\n", runtime.Version(), total, size, ns[0], ns[len(ns)/4])
	}
}

// clearing zeroes a buffer in pieces of a span, in order, for totals of 256 KiB to 256 MiB: the price of a byte by
// working set.
func clearing() {
	for total := 256 << 10; total <= 256<<20; total *= 4 {
		buffer := make([]byte, total)
		for at := range buffer {
			buffer[at] = 1
		}
		var ns []float64
		for r := 0; r < max(5, min(200, (512<<20)/total)); r++ {
			start := time.Now()
			for at := 0; at < total; at += 8192 {
				clear(buffer[at : at+8192])
			}
			ns = append(ns, float64(time.Since(start).Nanoseconds())/float64(total))
		}
		sort.Float64s(ns)
		fmt.Printf("%s,malloc,noscan,clearing,%d,%.4f,%.4f\n", runtime.Version(), total, ns[0], ns[len(ns)/4])
	}
}

// repeats is n, or a third of it when CALIBRATE=quick.
func repeats(n int) int {
	if os.Getenv("CALIBRATE") == "quick" {
		return max(3, n/3)
	}
	return n
}

var keep []unsafe.Pointer

func measure[T any](kind string) {
	size := int(unsafe.Sizeof(*new(T)))
	big := max(64<<20/size, 16)
	small := max(512<<10/size, 4)
	var fresh, touched, recycled, cached, half []float64
	for r := 0; r < repeats(5); r++ {
		// 300 MiB of address space are always taken first: with the collector off nothing is reused.
		fresh = append(fresh, allocate[T](big))
	}
	for r := 0; r < repeats(5); r++ {
		touched = append(touched, allocateAndTouch[T](big))
	}
	for r := 0; r < repeats(5); r++ {
		runtime.GC()
		runtime.GC()
		recycled = append(recycled, allocate[T](big))
	}
	for r := 0; r < repeats(100); r++ {
		runtime.GC()
		cached = append(cached, allocate[T](small))
	}
	sink = nil
	if size <= 4096 {
		for r := 0; r < repeats(5); r++ {
			runtime.GC()
			keep = make([]unsafe.Pointer, 0, big)
			for i := 0; i < big; i++ {
				p := unsafe.Pointer(new(T))
				if i%2 == 0 {
					keep = append(keep, p)
				} else {
					sink = p
				}
			}
			sink = nil
			runtime.GC()
			half = append(half, allocate[T](big/2))
			keep = nil
		}
	}
	for _, x := range []struct {
		name string
		ns   []float64
	}{{"fresh", fresh}, {"touched", touched}, {"recycled", recycled}, {"cached", cached}, {"halfdead", half}} {
		if len(x.ns) == 0 {
			continue
		}
		sort.Float64s(x.ns)
		fmt.Printf("%s,malloc,%s,%s,%d,%.2f,%.2f\n", runtime.Version(), kind, x.name, size, x.ns[0], x.ns[len(x.ns)/4])
	}
}

func main() {
	debug.SetGCPercent(-1)
	all := map[string]func(){
		"clearing":  clearing,
		"curve256":  func() { curve[[256]byte]() },
		"curve4096": func() { curve[[4096]byte]() },
		"n8":        func() { measure[[8]byte]("noscan") },
		"n16":       func() { measure[[16]byte]("noscan") },
		"n24":       func() { measure[[24]byte]("noscan") },
		"n32":       func() { measure[[32]byte]("noscan") },
		"n48":       func() { measure[[48]byte]("noscan") },
		"n64":       func() { measure[[64]byte]("noscan") },
		"n96":       func() { measure[[96]byte]("noscan") },
		"n128":      func() { measure[[128]byte]("noscan") },
		"n256":      func() { measure[[256]byte]("noscan") },
		"n512":      func() { measure[[512]byte]("noscan") },
		"n1024":     func() { measure[[1024]byte]("noscan") },
		"n2048":     func() { measure[[2048]byte]("noscan") },
		"n4096":     func() { measure[[4096]byte]("noscan") },
		"n8192":     func() { measure[[8192]byte]("noscan") },
		"n16k":      func() { measure[[16384]byte]("noscan") },
		"n32k":      func() { measure[[32760]byte]("noscan") },
		"n64k":      func() { measure[[65536]byte]("noscan") },
		"n1m":       func() { measure[[1 << 20]byte]("noscan") },
		"s8":        func() { measure[scan[[0]byte]]("scan") },
		"s16":       func() { measure[scan[[8]byte]]("scan") },
		"s24":       func() { measure[scan[[16]byte]]("scan") },
		"s32":       func() { measure[scan[[24]byte]]("scan") },
		"s48":       func() { measure[scan[[40]byte]]("scan") },
		"s64":       func() { measure[scan[[56]byte]]("scan") },
		"s96":       func() { measure[scan[[88]byte]]("scan") },
		"s128":      func() { measure[scan[[120]byte]]("scan") },
		"s256":      func() { measure[scan[[248]byte]]("scan") },
		"s512":      func() { measure[scan[[504]byte]]("scan") },
		"s1024":     func() { measure[scan[[1016 - 8]byte]]("scan") },
		"s2048":     func() { measure[scan[[2040 - 8]byte]]("scan") },
		"s4096":     func() { measure[scan[[4088 - 8]byte]]("scan") },
		"s8192":     func() { measure[scan[[8184 - 8]byte]]("scan") },
		"s16k":      func() { measure[scan[[16376 - 8]byte]]("scan") },
		"s64k":      func() { measure[scan[[65528]byte]]("scan") },
		"s1m":       func() { measure[scan[[1<<20 - 8]byte]]("scan") },
		"p16":       func() { measure[[2]*byte]("pointers") },
		"p64":       func() { measure[[8]*byte]("pointers") },
		"p256":      func() { measure[[32]*byte]("pointers") },
		"p512":      func() { measure[[64]*byte]("pointers") },
		"p1024":     func() { measure[[127]*byte]("pointers") },
		"p8192":     func() { measure[[1023]*byte]("pointers") },
		"p64k":      func() { measure[[8192]*byte]("pointers") },
		"p1m":       func() { measure[[1 << 17]*byte]("pointers") },
	}
	if len(os.Args) != 2 || all[os.Args[1]] == nil {
		names := []string{}
		for name := range all {
			names = append(names, name)
		}
		sort.Strings(names)
		fmt.Println(names)
		os.Exit(2)
	}
	all[os.Args[1]]()
}
