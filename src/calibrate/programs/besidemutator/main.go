// Command besidemutator measures what a cycle costs while the program allocates at full speed (GOMAXPROCS=2, GOGC=100): a
// list of 1,048,576 nodes of 64 bytes stays alive, garbage of 256 bytes a piece is made. CPU of marking an object of the
// list, and both pauses of a cycle, in nanoseconds.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/metrics"
	"sort"
)

const objects = 1 << 20

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

// totals returns cycles, CPU nanoseconds of marking and nanoseconds of pauses since the start.
func totals() (cycles, mark, pauses float64) {
	runtime.ReadMemStats(&mem)
	metrics.Read(cpu)
	for _, sample := range cpu {
		mark += sample.Value.Float64() * 1e9
	}
	return float64(mem.NumGC), mark, float64(mem.PauseTotalNs)
}

func report(what string, ns []float64) {
	sort.Float64s(ns)
	fmt.Printf("%s,beside,%s,%.2f,%.2f,%.2f\n", runtime.Version(), what, ns[0], ns[len(ns)/4], ns[len(ns)/2])
}

func main() {
	rounds := 5
	if os.Getenv("CALIBRATE") == "quick" {
		rounds = 3
	}
	for i := 0; i < objects; i++ {
		list = &node{next: list, rest: [7]uint64{uint64(i)}}
	}
	var marks, pauses []float64
	for r := 0; r < rounds; r++ {
		cycles, mark, pause := totals()
		for i := 0; i < 1<<22; i++ {
			sink = make([]byte, 256)
			sink[0] = 1
		}
		cyclesAfter, markAfter, pauseAfter := totals()
		if n := cyclesAfter - cycles; n > 0 {
			marks = append(marks, (markAfter-mark)/n/objects)
			pauses = append(pauses, (pauseAfter-pause)/n)
		}
	}
	report("mark-cpu-ns-per-object", marks)
	report("pauses-ns-per-cycle", pauses)
}
