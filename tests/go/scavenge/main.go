// Command scavenge watches the background scavenger give 512 MiB back: it makes garbage, collects twice so that the
// freed pages become visible to the scavenger, and prints HeapReleased every 10 ms, then the scavenger's CPU time.
package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

var (
	hold [][]byte
	mem  runtime.MemStats
	cpu  = []metrics.Sample{{Name: "/cpu/classes/scavenge/background:cpu-seconds"}, {Name: "/cpu/classes/scavenge/assist:cpu-seconds"}}
)

func main() {
	debug.SetGCPercent(100)
	for i := 0; i < 512; i++ {
		b := make([]byte, 1<<20)
		for at := 0; at < len(b); at += 4096 {
			b[at] = 1
		}
		hold = append(hold, b)
	}
	hold = nil
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&mem)
	released := mem.HeapReleased
	start := time.Now()
	stable, lastChange := 0, time.Duration(0)
	for tick := 0; stable < 400 && tick < 24000; tick++ {
		time.Sleep(10 * time.Millisecond)
		runtime.ReadMemStats(&mem)
		if mem.HeapReleased != released {
			fmt.Printf("%s,scavenge,ms=%d,released=%d,step=%d\n", runtime.Version(), time.Since(start).Milliseconds(), mem.HeapReleased, mem.HeapReleased-released)
			released = mem.HeapReleased
			stable = 0
			lastChange = time.Since(start)
		} else {
			stable++
		}
	}
	runtime.GC()
	metrics.Read(cpu)
	fmt.Printf("%s,scavenge,done,ms=%d,released=%d,background_cpu_ms=%.2f,assist_cpu_ms=%.2f\n", runtime.Version(), lastChange.Milliseconds(), released, cpu[0].Value.Float64()*1e3, cpu[1].Value.Float64()*1e3)
	start = time.Now()
	debug.FreeOSMemory()
	fmt.Printf("%s,scavenge,freeosmemory,ms=%.3f\n", runtime.Version(), float64(time.Since(start).Nanoseconds())/1e6)
}
