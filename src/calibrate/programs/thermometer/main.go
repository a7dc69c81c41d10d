// Command thermometer measures two things that suffer first when a machine is busy: the first write to a page, and a walk
// over 64 MiB in which every step waits for memory. Nanoseconds a page and a step.
package main

import (
	"fmt"
	"math/rand"
	"runtime"
	"runtime/debug"
	"sort"
	"syscall"
	"time"
)

const (
	pageBytes = 4096
	bytes     = 64 << 20
	lineWords = 16
)

var sink uint32

func faults() float64 {
	mem, err := syscall.Mmap(-1, 0, bytes, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		panic(err)
	}
	start := time.Now()
	for at := 0; at < bytes; at += pageBytes {
		mem[at] = 1
	}
	ns := float64(time.Since(start).Nanoseconds()) / (bytes / pageBytes)
	syscall.Munmap(mem)
	return ns
}

// ring links the cache lines of 64 MiB in one random cycle.
func ring() []uint32 {
	next := make([]uint32, bytes/4)
	order := rand.New(rand.NewSource(1)).Perm(bytes / 4 / lineWords)
	for i, line := range order {
		next[line*lineWords] = uint32(order[(i+1)%len(order)] * lineWords)
	}
	return next
}

func walk(next []uint32) float64 {
	const steps = 1 << 18
	start := time.Now()
	at := uint32(0)
	for i := 0; i < steps; i++ {
		at = next[at]
	}
	sink = at
	return float64(time.Since(start).Nanoseconds()) / steps
}

func report(what string, ns []float64) {
	sort.Float64s(ns)
	fmt.Printf("%s,thermometer,%s,%.2f,%.2f,%.2f\n", runtime.Version(), what, ns[0], ns[len(ns)/4], ns[len(ns)/2])
}

func main() {
	debug.SetGCPercent(-1)
	var page, step []float64
	next := ring()
	for r := 0; r < 7; r++ {
		page = append(page, faults())
		step = append(step, walk(next))
	}
	report("first-write-ns-per-page", page)
	report("walk-ns-per-step", step)
}
