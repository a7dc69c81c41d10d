// Command labelledrows does in real Go what sims/delete-million.toml does in the simulation and prints, for each of its
// snapshots, what runtime.MemStats and the kernel say. tests/real_go.rs compares the two.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
)

const n = 1_000_000

type row struct {
	label    string
	mem      runtime.MemStats
	rssBytes int
}

var (
	m     map[int]int
	rows  [8]row
	taken int
	// Rows are printed after the last one, and this is large enough to be read into without allocating:
	// looking must not change what is looked at.
	status [4096]byte
	file   *os.File
)

// snapshot keeps a row. The file of process numbers is open already.
func snapshot(label string) {
	r := &rows[taken]
	taken++
	r.label = label
	runtime.ReadMemStats(&r.mem)
	length, err := file.ReadAt(status[:], 0)
	if length == 0 && err != nil {
		panic(err)
	}
	r.rssBytes = residentBytes(status[:length])
}

// residentBytes reads the second number of /proc/self/statm: resident pages.
func residentBytes(text []byte) int {
	field, pages := 0, 0
	for _, c := range text {
		switch {
		case c == ' ':
			field++
		case field == 1:
			pages = 10*pages + int(c-'0')
		}
	}
	return pages * os.Getpagesize()
}

func main() {
	var err error
	if file, err = os.Open("/proc/self/statm"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	snapshot("start")
	m = make(map[int]int, n)
	for k := range n {
		m[k] = k
	}
	snapshot("inserted")
	runtime.GC()
	snapshot("gc")
	for k := range n {
		delete(m, k)
	}
	snapshot("deleted")
	runtime.GC()
	snapshot("deleted, gc")
	debug.FreeOSMemory()
	snapshot("deleted, freed")
	m = nil
	runtime.GC()
	snapshot("m = nil, gc")
	debug.FreeOSMemory()
	snapshot("m = nil, freed")

	fmt.Println("label;heap_alloc_bytes;heap_inuse_bytes;heap_idle_bytes;heap_released_bytes;sys_bytes;next_gc_bytes;num_gc;rss_bytes")
	for _, r := range rows {
		fmt.Print(r.label)
		for _, number := range []uint64{
			r.mem.HeapAlloc, r.mem.HeapInuse, r.mem.HeapIdle, r.mem.HeapReleased, r.mem.Sys, r.mem.NextGC,
			uint64(r.mem.NumGC), uint64(r.rssBytes),
		} {
			fmt.Print(";" + strconv.FormatUint(number, 10))
		}
		fmt.Println()
	}
}
