// Command deletemillion is the second end-to-end check of the cost table: a million entries in, a million deleted.
// usage deletemillion inline|inline0|ptr|ptr0 GOGC, as in tests/golden/delete-million.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"
)

const n = 1_000_000

type value [64]byte

var (
	numbers  map[int]int
	pointers map[int]*value
	mem      runtime.MemStats
)

func step(name string, body func()) {
	start := time.Now()
	body()
	took := time.Since(start)
	runtime.ReadMemStats(&mem)
	fmt.Printf("%s,deletemillion,%d,%s,%s,%s,%.2f,%d\n", runtime.Version(), runtime.GOMAXPROCS(0), os.Args[1], os.Args[2], name,
		float64(took.Nanoseconds())/1e6, mem.NumGC)
}

func main() {
	gogc := -1
	if os.Args[2] != "off" {
		gogc, _ = strconv.Atoi(os.Args[2])
	}
	debug.SetGCPercent(gogc)
	hint := n
	if os.Args[1] == "inline0" || os.Args[1] == "ptr0" {
		hint = 0
	}
	if os.Args[1] == "inline" || os.Args[1] == "inline0" {
		step("make", func() { numbers = make(map[int]int, hint) })
		step("insert", func() {
			for k := 0; k < n; k++ {
				numbers[k] = k
			}
		})
		step("gc", runtime.GC)
		step("delete", func() {
			for k := 0; k < n; k++ {
				delete(numbers, k)
			}
		})
	} else {
		step("make", func() { pointers = make(map[int]*value, hint) })
		step("insert", func() {
			for k := 0; k < n; k++ {
				pointers[k] = &value{}
			}
		})
		step("gc", runtime.GC)
		step("delete", func() {
			for k := 0; k < n; k++ {
				delete(pointers, k)
			}
		})
	}
	step("gc", runtime.GC)
}
