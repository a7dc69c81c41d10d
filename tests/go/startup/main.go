// Command startup records what a Go process looks like before it has done anything: MemStats, BySize,
// resident memory and a census of spans, at the first statement of main, after one collection and after two.
//
// It imports nothing that allocates at initialisation beyond what the runtime itself needs, and prints with the
// print builtin, so that the first record is the bare runtime's.
package main

import (
	"runtime"
	"syscall"
	"unsafe" // also for go:linkname
)

const records = 6

type record struct {
	mem        runtime.MemStats
	status     [4096]byte
	statusLen  int
	goroutines int
	census     census
}

// census counts in-use spans by span class; the overlay in overlay/ adds the function that fills it to package runtime.
type census struct {
	Pages, Spans, Objects [136]uint32
	ManualPages           uint32
	ManualSpans           uint32
}

//go:linkname runtimeCensus runtime.gclabCensus
func runtimeCensus(pages, spans, objects *[136]uint32, manualPages, manualSpans *uint32)

var (
	recs       [records]record
	statusPath = [...]byte{'/', 'p', 'r', 'o', 'c', '/', 's', 'e', 'l', 'f', '/', 's', 't', 'a', 't', 'u', 's', 0}
)

// take fills one record. It allocates nothing on the heap: everything it writes to is a global.
func take(r *record) {
	runtime.ReadMemStats(&r.mem)
	fd, _, _ := syscall.RawSyscall(syscall.SYS_OPEN, uintptr(unsafe.Pointer(&statusPath[0])), 0, 0)
	n, _, _ := syscall.RawSyscall(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(&r.status[0])), uintptr(len(r.status)))
	syscall.RawSyscall(syscall.SYS_CLOSE, fd, 0, 0)
	r.statusLen = int(n)
	r.goroutines = runtime.NumGoroutine()
	c := &r.census
	runtimeCensus(&c.Pages, &c.Spans, &c.Objects, &c.ManualPages, &c.ManualSpans)
}

var labels = [records]string{"start", "again", "gc1", "gc1again", "gc2", "gc2again"}

func main() {
	take(&recs[0])
	take(&recs[1])
	runtime.GC()
	take(&recs[2])
	take(&recs[3])
	runtime.GC()
	take(&recs[4])
	take(&recs[5])
	for i := range recs {
		report(labels[i], &recs[i])
	}
}

func row(label, field string, value uint64) {
	print(runtime.Version(), ",", runtime.GOMAXPROCS(0), ",", label, ",", field, ",", value, "\n")
}

func report(label string, r *record) {
	m := &r.mem
	row(label, "Alloc", m.Alloc)
	row(label, "TotalAlloc", m.TotalAlloc)
	row(label, "Sys", m.Sys)
	row(label, "Lookups", m.Lookups)
	row(label, "Mallocs", m.Mallocs)
	row(label, "Frees", m.Frees)
	row(label, "HeapAlloc", m.HeapAlloc)
	row(label, "HeapSys", m.HeapSys)
	row(label, "HeapIdle", m.HeapIdle)
	row(label, "HeapInuse", m.HeapInuse)
	row(label, "HeapReleased", m.HeapReleased)
	row(label, "HeapObjects", m.HeapObjects)
	row(label, "StackInuse", m.StackInuse)
	row(label, "StackSys", m.StackSys)
	row(label, "MSpanInuse", m.MSpanInuse)
	row(label, "MSpanSys", m.MSpanSys)
	row(label, "MCacheInuse", m.MCacheInuse)
	row(label, "MCacheSys", m.MCacheSys)
	row(label, "BuckHashSys", m.BuckHashSys)
	row(label, "GCSys", m.GCSys)
	row(label, "OtherSys", m.OtherSys)
	row(label, "NextGC", m.NextGC)
	row(label, "PauseTotalNs", m.PauseTotalNs)
	row(label, "NumGC", uint64(m.NumGC))
	row(label, "NumForcedGC", uint64(m.NumForcedGC))
	row(label, "Goroutines", uint64(r.goroutines))
	for _, key := range [...]string{"VmSize:", "VmRSS:", "RssAnon:", "RssFile:", "RssShmem:", "VmData:", "VmStk:", "VmPTE:", "Threads:"} {
		row(label, key[:len(key)-1], statusValue(r, key))
	}
	for _, c := range m.BySize {
		if c.Mallocs != 0 {
			print(runtime.Version(), ",", runtime.GOMAXPROCS(0), ",", label, ",BySize", c.Size, ".Mallocs,", c.Mallocs, "\n")
			print(runtime.Version(), ",", runtime.GOMAXPROCS(0), ",", label, ",BySize", c.Size, ".Frees,", c.Frees, "\n")
		}
	}
	for spanClass, spans := range r.census.Spans {
		if spans != 0 {
			print(runtime.Version(), ",", runtime.GOMAXPROCS(0), ",", label, ",SpanClass", spanClass, ".Spans,", spans, "\n")
			print(runtime.Version(), ",", runtime.GOMAXPROCS(0), ",", label, ",SpanClass", spanClass, ".Pages,", r.census.Pages[spanClass], "\n")
			print(runtime.Version(), ",", runtime.GOMAXPROCS(0), ",", label, ",SpanClass", spanClass, ".Objects,", r.census.Objects[spanClass], "\n")
		}
	}
	row(label, "ManualSpans", uint64(r.census.ManualSpans))
	row(label, "ManualPages", uint64(r.census.ManualPages))
}

// statusValue is the number behind key in a saved /proc/self/status.
func statusValue(r *record, key string) uint64 {
	text := r.status[:r.statusLen]
	for i := 0; i+len(key) <= len(text); i++ {
		if string(text[i:i+len(key)]) == key && (i == 0 || text[i-1] == '\n') {
			var v uint64
			for j := i + len(key); text[j] != '\n'; j++ {
				if text[j] >= '0' && text[j] <= '9' {
					v = v*10 + uint64(text[j]-'0')
				}
			}
			return v
		}
	}
	return 0
}
