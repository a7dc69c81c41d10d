// Command steady is the end-to-end check of the cost table: a list of 1,048,576 nodes of 64 bytes held by a global, then
// garbage of 256 bytes a piece. usage steady GOGC GARBAGE_MIB. GOGC "off" shows the mutator alone.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"time"
)

type node struct {
	next *node
	rest [7]uint64
}

var (
	list *node
	sink []byte
	mem  runtime.MemStats
	cpu  = []metrics.Sample{
		{Name: "/cpu/classes/gc/mark/assist:cpu-seconds"},
		{Name: "/cpu/classes/gc/mark/dedicated:cpu-seconds"},
		{Name: "/cpu/classes/gc/mark/idle:cpu-seconds"},
	}
)

func row(label string, start time.Time, peak uint64) {
	runtime.ReadMemStats(&mem)
	metrics.Read(cpu)
	fmt.Printf("%s,steady,%d,%s,ms=%.2f,numgc=%d,heapalloc=%d,heapsys=%d,peak=%d,assist=%.2f,dedicated=%.2f,idle=%.2f,pauses=%.3f\n", runtime.Version(), runtime.GOMAXPROCS(0), label,
		float64(time.Since(start).Nanoseconds())/1e6, mem.NumGC, mem.HeapAlloc, mem.HeapSys, peak,
		cpu[0].Value.Float64()*1e3, cpu[1].Value.Float64()*1e3, cpu[2].Value.Float64()*1e3, float64(mem.PauseTotalNs)/1e6)
}

func main() {
	gogc := -1
	if os.Args[1] != "off" {
		gogc, _ = strconv.Atoi(os.Args[1])
	}
	garbage, _ := strconv.Atoi(os.Args[2])
	debug.SetGCPercent(gogc)
	start := time.Now()
	for i := 0; i < 1<<20; i++ {
		list = &node{next: list, rest: [7]uint64{uint64(i)}}
	}
	row("live", start, 0)
	if os.Args[1] == "off" {
		runtime.GC()
	}
	var peak uint64
	start = time.Now()
	for i := 0; i < garbage<<12; i++ {
		sink = make([]byte, 256)
		sink[0] = 1
		if i&(1<<16-1) == 0 {
			runtime.ReadMemStats(&mem)
			peak = max(peak, mem.HeapAlloc)
		}
	}
	row("end", start, peak)
	if os.Args[1] == "off" {
		sink = nil
		runtime.GC()
		start = time.Now()
		for i := 0; i < garbage<<12; i++ {
			sink = make([]byte, 256)
			sink[0] = 1
		}
		row("recycled", start, peak)
	}
}
