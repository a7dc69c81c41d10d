// Command maps times map operations with the collector off, in nanoseconds an operation:
// usage maps ENTRIES REPETITIONS [int], or maps load|evacuate LOG_BUCKETS, or maps fresh|text|apart ENTRIES. Keys are 0..n in ascending order, in one random order, or at random with repetition.
package main

import (
	"fmt"
	"math/rand"
	"os"
	"runtime"
	"runtime/debug"
	"sort"
	"strconv"
	"time"
	"unsafe"
)

type value [64]byte

var (
	sinkInt   int
	sinkValue *value
	results   = map[string][]float64{}
	names     []string
)

func timed(name string, n int, body func()) {
	start := time.Now()
	body()
	ns := float64(time.Since(start).Nanoseconds()) / float64(n)
	if results[name] == nil {
		names = append(names, name)
	}
	results[name] = append(results[name], ns)
}

// report prints what was timed on maps of so many entries.
func report(entries int) {
	for _, name := range names {
		ns := results[name]
		sort.Float64s(ns)
		fmt.Printf("%s,map,%s,%d,%.2f,%.2f,%.2f\n", runtime.Version(), name, entries, ns[0], ns[len(ns)/4], ns[len(ns)/2])
	}
}

// run does every operation once on maps of one value type; one is stored under every key.
func run[V any](kind, order string, keys, missing []int, one V, get func(V)) {
	n := len(keys)
	name := func(op string) string { return kind + "," + order + "," + op }
	// Small maps repeat, so that a timing is long enough.
	rounds := max(1, 200_000/n)
	var m map[int]V
	ms := make([]map[int]V, rounds)
	runtime.GC()
	timed(name("make-presized"), n*rounds, func() {
		for r := range ms {
			ms[r] = make(map[int]V, n)
		}
	})
	timed(name("insert-presized"), n*rounds, func() {
		for r := range ms {
			m = ms[r]
			for _, k := range keys {
				m[k] = one
			}
		}
	})
	// The same buckets again, now resident: the map is cleared and refilled.
	timed(name("clear"), n*rounds, func() {
		for r := range ms {
			clear(ms[r])
		}
	})
	timed(name("insert-resident"), n*rounds, func() {
		for r := range ms {
			m = ms[r]
			for _, k := range keys {
				m[k] = one
			}
		}
	})
	m = ms[0]
	timed(name("update"), n*rounds, func() {
		for r := 0; r < rounds; r++ {
			for _, k := range keys {
				m[k] = one
			}
		}
	})
	timed(name("lookup-hit"), n*rounds, func() {
		for r := 0; r < rounds; r++ {
			for _, k := range keys {
				get(m[k])
			}
		}
	})
	timed(name("lookup-miss"), n*rounds, func() {
		for r := 0; r < rounds; r++ {
			for _, k := range missing {
				get(m[k])
			}
		}
	})
	timed(name("iterate"), n*rounds, func() {
		for r := 0; r < rounds; r++ {
			for _, v := range m {
				get(v)
			}
		}
	})
	timed(name("delete"), n*rounds, func() {
		for r := range ms {
			m = ms[r]
			for _, k := range keys {
				delete(m, k)
			}
		}
	})
	timed(name("delete-absent"), n*rounds, func() {
		for r := range ms {
			m = ms[r]
			for _, k := range keys {
				delete(m, k)
			}
		}
	})
	clear(ms)
	m = nil
	runtime.GC()
	timed(name("insert-growing"), n*rounds, func() {
		for r := range ms {
			m = make(map[int]V)
			ms[r] = m
			for _, k := range keys {
				m[k] = one
			}
		}
	})
}

// evacuate fills a map of 2^logBuckets buckets to the brim (13/2 entries a bucket; 6 in Go 1.21), makes it grow with one
// more insert, and compares a pass of updates during which all old buckets move with the same pass afterwards.
func evacuate(logBuckets int) {
	full := 1 << logBuckets * 13 / 2
	if runtime.Version() < "go1.22" {
		full = 1 << logBuckets * 6
	}
	buckets := 1 << logBuckets
	rounds := max(1, 100_000/full)
	ms := make([]map[int]int, rounds)
	for r := range ms {
		ms[r] = make(map[int]int, full)
		for k := 0; k < full; k++ {
			ms[r][k] = k
		}
	}
	touch := func() {
		for r := range ms {
			m := ms[r]
			for k := 0; k < buckets; k++ {
				m[k] = k
			}
		}
	}
	before := time.Now()
	touch()
	settled := time.Since(before)
	start := time.Now()
	for r := range ms {
		ms[r][full] = full
	}
	grow := time.Since(start)
	before = time.Now()
	touch()
	moving := time.Since(before)
	before = time.Now()
	touch()
	after := time.Since(before)
	name := "int,ascending,evacuate"
	if results[name] == nil {
		names = append(names, name, name+"-growth-step")
	}
	entries := float64(full * rounds)
	results[name] = append(results[name], float64(moving.Nanoseconds()-(settled.Nanoseconds()+after.Nanoseconds())/2)/entries)
	results[name+"-growth-step"] = append(results[name+"-growth-step"], float64(grow.Nanoseconds())/entries)
}

// load prices inserts by how full the buckets are: a map of 2^logBuckets buckets on resident memory filled to the brim.
func load(logBuckets int) {
	const steps = 13 // of half an entry a bucket
	buckets := 1 << logBuckets
	rounds := max(1, 1<<14/buckets)
	ms := make([]map[int]int, rounds)
	for r := range ms {
		ms[r] = make(map[int]int, buckets*13/2-1)
		for k := 0; k < buckets*6; k++ {
			ms[r][-k] = k
		}
		clear(ms[r])
	}
	for step := 0; step < steps; step++ {
		name := fmt.Sprintf("int,ascending,insert-at-%.1f-a-bucket", float64(step)/2+0.25)
		timed(name, rounds*buckets/2, func() {
			for _, m := range ms {
				for k := step * buckets / 2; k < (step+1)*buckets/2-1; k++ {
					m[k] = k
				}
			}
		})
	}
}

// fresh fills presized maps on memory that was never used, and the same buckets again when they are resident. No
// collection lies between two calls: the collector is off, so that memory is used once.
func fresh(n int) {
	rounds := max(1, 20_000/n)
	ms := make([]map[int]int, rounds)
	for r := range ms {
		ms[r] = make(map[int]int, n)
	}
	fill := func() {
		for _, m := range ms {
			for k := 0; k < n; k++ {
				m[k] = k
			}
		}
	}
	timed("int,ascending,insert-fresh", n*rounds, fill)
	for _, m := range ms {
		clear(m)
	}
	timed("int,ascending,insert-refilled", n*rounds, fill)
}

// node is an object that a map or a slice refers to.
type node struct {
	next *node
	rest [56]byte
}

// apart times inserts and deletes that follow each other against the same with the allocation of an object between any
// two, and maps of pointers against maps of ints. Buckets are resident.
func apart(n int) {
	rounds := max(1, 100_000/n)
	ints := make([]map[int]int, rounds)
	pointers := make([]map[int]*node, rounds)
	objects := make([]*node, n)
	for r := range ints {
		ints[r] = make(map[int]int, n)
		pointers[r] = make(map[int]*node, n)
		for k := 0; k < n; k++ {
			ints[r][k] = k
			pointers[r][k] = nil
		}
		clear(ints[r])
		clear(pointers[r])
	}
	timed("object,ascending,new", n*rounds, func() {
		for range pointers {
			for k := 0; k < n; k++ {
				objects[k] = new(node)
			}
		}
	})
	timed("int,ascending,insert-in-a-row", n*rounds, func() {
		for _, m := range ints {
			for k := 0; k < n; k++ {
				m[k] = k
			}
		}
	})
	timed("int,ascending,delete-in-a-row", n*rounds, func() {
		for _, m := range ints {
			for k := 0; k < n; k++ {
				delete(m, k)
			}
		}
	})
	timed("pointer,ascending,insert-in-a-row", n*rounds, func() {
		for _, m := range pointers {
			for k := 0; k < n; k++ {
				m[k] = objects[k]
			}
		}
	})
	timed("pointer,ascending,delete-in-a-row", n*rounds, func() {
		for _, m := range pointers {
			for k := 0; k < n; k++ {
				delete(m, k)
			}
		}
	})
	timed("pointer,ascending,insert-apart", n*rounds, func() {
		for _, m := range pointers {
			for k := 0; k < n; k++ {
				m[k] = new(node)
			}
		}
	})
	timed("pointer,ascending,delete-apart", n*rounds, func() {
		for _, m := range pointers {
			for k := 0; k < n; k++ {
				objects[k] = new(node)
				delete(m, k)
			}
		}
	})
}

// textBytes is how long the keys of byText are.
const textBytes = 24

// byText looks up texts of textBytes that are written anew each time, and writes them without looking anything up. The
// texts in the map lie in ascending order of keys.
func byText(n int) {
	m := make(map[string]int, n)
	for k := 0; k < n; k++ {
		m[keyText(k, textBytes)] = k
	}
	ascending := make([]int, n)
	for k := range ascending {
		ascending[k] = k
	}
	shuffled := rand.New(rand.NewSource(1)).Perm(n)
	rounds := max(1, 200_000/n)
	each := func(name string, keys []int, body func(k int)) {
		timed(name, n*rounds, func() {
			for r := 0; r < rounds; r++ {
				for _, k := range keys {
					body(k)
				}
			}
		})
	}
	for _, order := range []struct {
		name string
		keys []int
	}{{"ascending", ascending}, {"shuffled", shuffled}} {
		name := "int-by-text," + order.name + ","
		each(name+"known-text", order.keys, func(k int) { sinkInt += int(knownKey(k, textBytes)[0]) })
		each(name+"lookup-hit", order.keys, func(k int) { sinkInt += m[knownKey(k, textBytes)] })
		each(name+"lookup-miss", order.keys, func(k int) { sinkInt += m[knownKey(k+n, textBytes)] })
	}
}

// The texts are made by the helpers of programs that "gclab go" writes, word for word.

// text returns b as a string without copying it.
func text(b []byte) string {
	return unsafe.String(&b[0], len(b))
}

// keyText returns key k as a new string of n bytes.
func keyText(k, n int) string {
	b := make([]byte, n)
	writeKey(b, k)
	return text(b)
}

// writeKey writes key k into b.
func writeKey(b []byte, k int) {
	for i := range b {
		b[i] = byte(k)
		k >>= 8
	}
}

var keyBytes [256]byte

// knownKey returns key k as a string of n bytes that is good until the next call: enough to look it up.
func knownKey(k, n int) string {
	writeKey(keyBytes[:n], k)
	return text(keyBytes[:n])
}

// repeats is n, or a third of it when CALIBRATE=quick.
func repeats(n int) int {
	if os.Getenv("CALIBRATE") == "quick" {
		return max(3, n/3)
	}
	return n
}

func main() {
	debug.SetGCPercent(-1)
	if os.Args[1] == "load" {
		logBuckets, _ := strconv.Atoi(os.Args[2])
		for r := 0; r < repeats(9); r++ {
			runtime.GC()
			load(logBuckets)
		}
		report(13 << logBuckets / 2)
		return
	}
	if os.Args[1] == "evacuate" {
		logBuckets, _ := strconv.Atoi(os.Args[2])
		for r := 0; r < repeats(9); r++ {
			runtime.GC()
			evacuate(logBuckets)
		}
		report(13 << logBuckets / 2)
		return
	}
	if os.Args[1] == "fresh" || os.Args[1] == "text" || os.Args[1] == "apart" {
		n, _ := strconv.Atoi(os.Args[2])
		for r := 0; r < repeats(9); r++ {
			switch os.Args[1] {
			case "fresh":
				fresh(n)
			case "text":
				runtime.GC()
				byText(n)
			case "apart":
				runtime.GC()
				apart(n)
			}
		}
		report(n)
		return
	}
	n, _ := strconv.Atoi(os.Args[1])
	reps, _ := strconv.Atoi(os.Args[2])
	reps = repeats(reps)
	ascending := make([]int, n)
	missing := make([]int, n)
	for i := range ascending {
		ascending[i] = i
		missing[i] = i + n
	}
	rng := rand.New(rand.NewSource(1))
	shuffled := append([]int(nil), ascending...)
	rng.Shuffle(n, func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	v := new(value)
	for r := 0; r < reps; r++ {
		run("int", "ascending", ascending, missing, 1, func(v int) { sinkInt = v })
		if len(os.Args) > 3 {
			continue
		}
		run("int", "shuffled", shuffled, missing, 1, func(v int) { sinkInt = v })
		run("ptr", "ascending", ascending, missing, v, func(v *value) { sinkValue = v })
	}
	report(n)
}
