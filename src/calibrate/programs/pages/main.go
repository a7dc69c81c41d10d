// Command pages times what the kernel charges for anonymous memory: the first write to a page, the first write after
// MADV_DONTNEED, and MADV_DONTNEED itself in pieces of several sizes.
package main

import (
	"fmt"
	"math/rand"
	"os"
	"runtime"
	"sort"
	"syscall"
	"time"
	"unsafe"
)

const (
	total = 256 << 20
	page  = 4096
)

func touch(mem []byte) float64 {
	start := time.Now()
	for at := 0; at < len(mem); at += page {
		mem[at] = 1
	}
	return float64(time.Since(start).Nanoseconds()) / float64(len(mem)/page)
}

// touchShuffled writes every page once, in random order.
func touchShuffled(mem []byte) float64 {
	pages := rand.New(rand.NewSource(1)).Perm(len(mem) / page)
	start := time.Now()
	for _, at := range pages {
		mem[at*page] = 1
	}
	return float64(time.Since(start).Nanoseconds()) / float64(len(pages))
}

func report(what string, piece int, ns []float64) {
	sort.Float64s(ns)
	fmt.Printf("%s,pages,%s,%d,%.1f,%.1f,%.1f\n", runtime.Version(), what, piece, ns[0], ns[len(ns)/4], ns[len(ns)/2])
}

// repeats is n, or a third of it when CALIBRATE=quick.
func repeats(n int) int {
	if os.Getenv("CALIBRATE") == "quick" {
		return max(3, n/3)
	}
	return n
}

func main() {
	var first, again, resident, shuffled []float64
	for r := 0; r < repeats(7); r++ {
		mem, err := syscall.Mmap(-1, 0, total, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
		if err != nil {
			panic(err)
		}
		first = append(first, touch(mem))
		resident = append(resident, touch(mem))
		syscall.Munmap(mem)
	}
	report("first-write-ns-per-page", page, first)
	report("resident-write-ns-per-page", page, resident)
	for r := 0; r < repeats(7); r++ {
		mem, _ := syscall.Mmap(-1, 0, total/4, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
		shuffled = append(shuffled, touchShuffled(mem))
		syscall.Munmap(mem)
	}
	report("first-write-shuffled-ns-per-page", page, shuffled)
	mem, _ := syscall.Mmap(-1, 0, total, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	for _, piece := range []int{4 << 10, 8 << 10, 64 << 10, 256 << 10, 2 << 20, 4 << 20, 256 << 20} {
		var perCall, perPage []float64
		for r := 0; r < repeats(7); r++ {
			again = append(again, touch(mem))
			start := time.Now()
			for at := 0; at < total; at += piece {
				syscall.RawSyscall(syscall.SYS_MADVISE, uintptr(unsafe.Pointer(&mem[at])), uintptr(piece), 4)
			}
			ns := float64(time.Since(start).Nanoseconds())
			perCall = append(perCall, ns/float64(total/piece))
			perPage = append(perPage, ns/float64(total/page))
		}
		report("madvise-resident-ns-per-call", piece, perCall)
		report("madvise-resident-ns-per-page", piece, perPage)
		var empty []float64
		for r := 0; r < repeats(7); r++ {
			start := time.Now()
			for at := 0; at < total; at += piece {
				syscall.RawSyscall(syscall.SYS_MADVISE, uintptr(unsafe.Pointer(&mem[at])), uintptr(piece), 4)
			}
			empty = append(empty, float64(time.Since(start).Nanoseconds())/float64(total/piece))
		}
		report("madvise-empty-ns-per-call", piece, empty)
	}
	report("write-after-dontneed-ns-per-page", page, again)
	var calls []float64
	for r := 0; r < repeats(7); r++ {
		start := time.Now()
		for i := 0; i < 1_000_000; i++ {
			syscall.RawSyscall(syscall.SYS_GETPPID, 0, 0, 0)
		}
		calls = append(calls, float64(time.Since(start).Nanoseconds())/1e6)
	}
	report("syscall-ns", 0, calls)
}
