// Command runtimecosts times the runtime's own services, in nanoseconds a call, with the collector off and an almost
// empty heap: ReadMemStats, runtime.GC, the /proc/self/status probe, starting and ending goroutines, sleeping, pauses.
package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

var (
	mem        runtime.MemStats
	status     [4096]byte
	statusPath = [...]byte{'/', 'p', 'r', 'o', 'c', '/', 's', 'e', 'l', 'f', '/', 's', 't', 'a', 't', 'u', 's', 0}
	sink       *int
)

func report(name string, ns []float64) {
	sort.Float64s(ns)
	fmt.Printf("%s,runtime,%d,%s,%.1f,%.1f,%.1f\n", runtime.Version(), runtime.GOMAXPROCS(0), name, ns[0], ns[len(ns)/4], ns[len(ns)/2])
}

func each(name string, times int, body func()) {
	ns := make([]float64, times)
	for i := range ns {
		start := time.Now()
		body()
		ns[i] = float64(time.Since(start).Nanoseconds())
	}
	report(name, ns)
}

func probe() {
	fd, _, _ := syscall.RawSyscall(syscall.SYS_OPEN, uintptr(unsafe.Pointer(&statusPath[0])), 0, 0)
	syscall.RawSyscall(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(&status[0])), uintptr(len(status)))
	syscall.RawSyscall(syscall.SYS_CLOSE, fd, 0, 0)
}

func batch(name string, times, n int, body func(n int)) {
	ns := make([]float64, times)
	for i := range ns {
		start := time.Now()
		body(n)
		ns[i] = float64(time.Since(start).Nanoseconds()) / float64(n)
	}
	report(name, ns)
}

// wakes measures how long a goroutine that is made runnable waits for a P whose thread sleeps: this goroutine stays on
// its own P meanwhile. A second one is made runnable right behind it, because the last one is not stolen at once
// (runnext).
func wakes(times int) []float64 {
	var sent [2]chan time.Time
	took := make(chan float64, 2)
	for i := range sent {
		sent[i] = make(chan time.Time)
		go func(sent chan time.Time) {
			for at := range sent {
				took <- float64(time.Since(at).Nanoseconds())
			}
		}(sent[i])
	}
	ns := make([]float64, times)
	for i := range ns {
		// The receivers' thread gives up looking for work and falls asleep while this one spins.
		for until := time.Now().Add(500 * time.Microsecond); time.Now().Before(until); {
		}
		now := time.Now()
		sent[0] <- now
		sent[1] <- now
		for len(took) < 2 {
		}
		ns[i] = min(<-took, <-took)
	}
	for i := range sent {
		close(sent[i])
	}
	return ns
}

func main() {
	debug.SetGCPercent(-1)
	each("time-now-pair", 1000, func() {})
	each("read-mem-stats", 300, func() { runtime.ReadMemStats(&mem) })
	each("status-probe", 300, probe)
	each("runtime-gc-back-to-back", 100, runtime.GC)
	each("runtime-gc-after-sleep", 30, func() {
		runtime.GC()
	})
	var pauses, after []float64
	for i := 0; i < 60; i++ {
		time.Sleep(time.Millisecond)
		start := time.Now()
		runtime.GC()
		after = append(after, float64(time.Since(start).Nanoseconds()))
		runtime.ReadMemStats(&mem)
		pauses = append(pauses, float64(mem.PauseNs[(mem.NumGC+255)%256]))
	}
	report("runtime-gc-after-sleep", after)
	report("both-pauses-of-a-cycle", pauses)
	for _, d := range []time.Duration{time.Microsecond, 100 * time.Microsecond, time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond} {
		each("sleep-overhead-"+strings.Replace(d.String(), "µ", "u", 1), 12, func() { time.Sleep(d) })
	}
	if runtime.GOMAXPROCS(0) > 1 {
		report("wake-sleeping-thread", wakes(300))
	}
	batch("go-start-exit-sequential", 9, 20000, func(n int) {
		done := make(chan struct{})
		for i := 0; i < n; i++ {
			go func() { done <- struct{}{} }()
			<-done
		}
	})
	batch("go-start-exit-batch-1000", 50, 1000, func(n int) {
		var wg sync.WaitGroup
		wg.Add(n)
		for i := 0; i < n; i++ {
			go wg.Done()
		}
		wg.Wait()
	})
	batch("go-start-blocked-fresh", 1, 100000, func(n int) {
		stop := make(chan struct{})
		for i := 0; i < n; i++ {
			go func() { <-stop }()
		}
		runtime.Gosched()
		close(stop)
	})
	batch("gosched", 9, 100000, func(n int) {
		for i := 0; i < n; i++ {
			runtime.Gosched()
		}
	})
	big := make([]*int, 1<<16)
	one := new(int)
	batch("pointer-store-barrier-off", 50, 1<<16, func(n int) {
		for i := range big {
			big[i] = one
		}
	})
	_ = sink
}
