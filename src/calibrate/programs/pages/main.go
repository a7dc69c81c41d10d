// Command pages times what the kernel charges for anonymous memory: the first write to a page, the first write after
// MADV_DONTNEED, and MADV_DONTNEED itself in pieces of several sizes. As "pages beside" it times what another running
// thread of the process adds to that, and as "pages copy" what a copy costs that the collector asks to stop.
package main

import (
	"fmt"
	"math/rand"
	"os"
	"runtime"
	"runtime/debug"
	"sort"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

const (
	total       = 256 << 20
	besideBytes = 16 << 20
	page        = 4096
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

func mmap(size int) []byte {
	mem, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		panic(err)
	}
	return mem
}

// turns is how often the spinning goroutine has gone round; stop ends it.
var (
	turns atomic.Int64
	stop  atomic.Bool
	sink  byte
)

func spin() {
	for x := 0; !stop.Load(); turns.Add(1) {
		for i := 0; i < 1000; i++ {
			x += i
		}
		sink += byte(x)
	}
}

// readThenWrite touches every page as an insert into a fresh bucket does: it looks before it writes.
func readThenWrite(mem []byte) {
	for at := 0; at < len(mem); at += page {
		if mem[at] == 0 {
			mem[at] = 1
		}
	}
}

func dontNeed(mem []byte, piece int) {
	for at := 0; at < len(mem); at += piece {
		syscall.RawSyscall(syscall.SYS_MADVISE, uintptr(unsafe.Pointer(&mem[at])), uintptr(piece), 4)
	}
}

// beside times f over fresh pages, alone and while a goroutine spins on another P; calls is how often f changes
// mappings. It reports the time of a call, and what the spinning goroutine lost by it.
func beside(what string, prepare, f func(mem []byte), calls int) {
	timed := func() float64 {
		mem := mmap(besideBytes)
		defer syscall.Munmap(mem)
		prepare(mem)
		start := time.Now()
		f(mem)
		return float64(time.Since(start).Nanoseconds()) / float64(calls)
	}
	var alone, crowded, lost []float64
	for r := 0; r < repeats(7); r++ {
		alone = append(alone, timed())
	}
	stop.Store(false)
	go spin()
	for r := 0; r < repeats(7); r++ {
		time.Sleep(5 * time.Millisecond)
		before, start := turns.Load(), time.Now()
		time.Sleep(25 * time.Millisecond)
		turn := float64(time.Since(start).Nanoseconds()) / float64(turns.Load()-before)
		mem := mmap(besideBytes)
		prepare(mem)
		before, start = turns.Load(), time.Now()
		f(mem)
		ns := float64(time.Since(start).Nanoseconds())
		crowded = append(crowded, ns/float64(calls))
		lost = append(lost, max(0, ns-turn*float64(turns.Load()-before))/float64(calls))
		syscall.Munmap(mem)
	}
	stop.Store(true)
	time.Sleep(5 * time.Millisecond)
	report(what+"-alone-ns", page, alone)
	report(what+"-beside-ns", page, crowded)
	report(what+"-lost-ns", page, lost)
}

func mainBeside() {
	const calls = besideBytes / page
	nothing := func([]byte) {}
	write := func(mem []byte) { touch(mem) }
	beside("write", nothing, write, calls)
	beside("read-then-write", nothing, readThenWrite, calls)
	beside("madvise-page", write, func(mem []byte) { dontNeed(mem, page) }, calls)
}

// mainCopy times copies into fresh buffers that the collector asks to stop: making the buffer starts a collection, whose
// worker wants to scan the stack of the copying goroutine and signals its thread until the copy is done, since nothing
// interrupts a copy. Reported are those that took several times as long as the fastest: the others were over before, or
// their stack was scanned before they began.
func mainCopy() {
	const size = 4 << 20
	source := make([]byte, size)
	touch(source)
	var held [][]byte
	var all []float64
	debug.SetGCPercent(1)
	for r := 0; r < 5*repeats(21); r++ {
		buffer := make([]byte, size)
		start := time.Now()
		copy(buffer, source)
		all = append(all, float64(time.Since(start).Nanoseconds())/(size/page))
		held = append(held, buffer)
		time.Sleep(time.Millisecond)
	}
	runtime.KeepAlive(held)
	sort.Float64s(all)
	slow := sort.SearchFloat64s(all, 4*all[0])
	report("copy-fresh-ns-per-page", page, all[:slow])
	if slow < len(all) {
		report("copy-fresh-asked-to-stop-ns-per-page", page, all[slow:])
	}
	report("copy-fresh-asked-to-stop-percent", page, []float64{100 * float64(len(all)-slow) / float64(len(all))})
}

func main() {
	switch {
	case len(os.Args) > 1 && os.Args[1] == "beside":
		mainBeside()
	case len(os.Args) > 1 && os.Args[1] == "copy":
		mainCopy()
	default:
		mainAlone()
	}
}

func mainAlone() {
	var first, again, resident, shuffled []float64
	for r := 0; r < repeats(7); r++ {
		mem := mmap(total)
		first = append(first, touch(mem))
		resident = append(resident, touch(mem))
		syscall.Munmap(mem)
	}
	report("first-write-ns-per-page", page, first)
	report("resident-write-ns-per-page", page, resident)
	for r := 0; r < repeats(7); r++ {
		mem := mmap(total / 4)
		shuffled = append(shuffled, touchShuffled(mem))
		syscall.Munmap(mem)
	}
	report("first-write-shuffled-ns-per-page", page, shuffled)
	mem := mmap(total)
	for _, piece := range []int{4 << 10, 8 << 10, 64 << 10, 256 << 10, 2 << 20, 4 << 20, 256 << 20} {
		var perCall, perPage []float64
		for r := 0; r < repeats(7); r++ {
			again = append(again, touch(mem))
			start := time.Now()
			dontNeed(mem, piece)
			ns := float64(time.Since(start).Nanoseconds())
			perCall = append(perCall, ns/float64(total/piece))
			perPage = append(perPage, ns/float64(total/page))
		}
		report("madvise-resident-ns-per-call", piece, perCall)
		report("madvise-resident-ns-per-page", piece, perPage)
		var empty []float64
		for r := 0; r < repeats(7); r++ {
			start := time.Now()
			dontNeed(mem, piece)
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
