// Command sync times sync.Map, sync.Pool and maps behind locks, in nanoseconds an operation. What an operation allocates is
// timed apart, so that the difference is the operation itself.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sort"
	"sync"
	"time"
	"unsafe"
)

const shardCount = 16

// A shard is a map behind a lock, a cache line long or longer.
type shard struct {
	sync.RWMutex
	m map[int]int
	_ [96]byte
}

// An entry and a node have the sizes and pointers of what a hash trie allocates.
type (
	entry struct {
		flag       uintptr
		next       *entry
		key, value any
	}
	node struct {
		flag, lock uintptr
		links      [17]*node
	}
	// A bucket has the size of one of a map[any]*entry.
	bucket struct {
		top    [8]uint8
		keys   [8]any
		values [8]*entry
		next   *bucket
	}
)

var (
	one         shard
	many        [shardCount]shard
	plain       map[int]int
	sinkInt     int
	sinkAny     any
	sinkBox     *any
	sinkPointer *unsafe.Pointer
	sinkEntry   *entry
	sinkNode    *node
	sinkBuckets []bucket
	sinkObject  *[3]uintptr
)

// A series is what one kind of work took, repetition by repetition.
type series struct {
	what string
	size int
	ns   []float64
}

var all []*series

// timed times n operations.
func timed(what string, size, n int, body func()) {
	start := time.Now()
	body()
	note(what, size, float64(time.Since(start).Nanoseconds())/float64(n))
}

func note(what string, size int, ns float64) {
	for _, known := range all {
		if known.what == what && known.size == size {
			known.ns = append(known.ns, ns)
			return
		}
	}
	all = append(all, &series{what, size, []float64{ns}})
}

// warm makes the next 1<<20 times bytes of the heap recycled memory.
func warm(bytes int) {
	for made := 0; made < bytes; made += 1 << 20 {
		sinkAny = make([]*byte, 1<<17)
	}
	sinkAny = nil
	runtime.GC()
}

// syncMap times the operations of a sync.Map with int keys and values.
func syncMap(n int) {
	repeats := max(1, 200_000/n)
	warm(n * 400)
	maps := make([]sync.Map, repeats)
	over := func(what string, one func(m *sync.Map, k int)) {
		timed(what, n, n*repeats, func() {
			for i := range maps {
				m := &maps[i]
				for k := 0; k < n; k++ {
					one(m, k)
				}
			}
		})
	}
	over("store", func(m *sync.Map, k int) { m.Store(k, k) })
	timed("range", n, n*repeats, func() {
		for i := range maps {
			maps[i].Range(func(k, v any) bool {
				sinkInt++
				return true
			})
		}
	})
	over("overwrite", func(m *sync.Map, k int) { m.Store(k, k) })
	over("load-hit", func(m *sync.Map, k int) {
		if _, ok := m.Load(k); ok {
			sinkInt++
		}
	})
	over("load-miss", func(m *sync.Map, k int) {
		if _, ok := m.Load(k + n); ok {
			sinkInt++
		}
	})
	over("delete", func(m *sync.Map, k int) { m.Delete(k) })
	maps = nil
	runtime.GC()
	allocations(n, repeats)
}

// allocations times what stores allocate.
func allocations(n, repeats int) {
	each := func(what string, one func(k int)) {
		warm(n * 400)
		timed(what, n, n*repeats, func() {
			for i := 0; i < repeats; i++ {
				for k := 0; k < n; k++ {
					one(k)
				}
			}
		})
	}
	if isTrie() {
		each("store-allocation", func(k int) {
			box(k, k)
			sinkEntry = new(entry)
			if k%11 < 4 {
				sinkNode = new(node)
			}
		})
		each("overwrite-allocation", func(k int) {
			box(k, k)
			sinkEntry = new(entry)
		})
		return
	}
	buckets := 0
	each("store-allocation", func(k int) {
		if k == 0 {
			buckets = 1
		}
		if k >= 8 && k == buckets*13/2 {
			buckets *= 2
			sinkBuckets = make([]bucket, buckets+buckets/16)
		}
		box(k, k)
		sinkBox = new(any)
		sinkBox = new(any)
		sinkPointer = new(unsafe.Pointer)
	})
	each("overwrite-allocation", func(k int) {
		box(k, k)
		sinkBox = new(any)
	})
}

//go:noinline
func box(key, value any) {
	sinkAny = key
}

// isTrie tells whether a store over an old value makes a new entry of 48 bytes.
func isTrie() bool {
	var m sync.Map
	k, v := any(1), any(1)
	var before, after runtime.MemStats
	m.Store(k, v)
	runtime.ReadMemStats(&before)
	for i := 0; i < 100; i++ {
		m.Store(k, v)
	}
	runtime.ReadMemStats(&after)
	return after.TotalAlloc-before.TotalAlloc > 3200
}

// together runs work on so many goroutines and returns nanoseconds.
func together(goroutines int, work func(g int)) float64 {
	var group sync.WaitGroup
	group.Add(goroutines)
	start := time.Now()
	for g := 0; g < goroutines; g++ {
		go func(g int) {
			defer group.Done()
			work(g)
		}(g)
	}
	group.Wait()
	return float64(time.Since(start).Nanoseconds())
}

// locked times maps behind locks: one, sixteen, and by two goroutines at a time.
func locked(n int) {
	plain = make(map[int]int, n)
	one.m = make(map[int]int, n)
	for i := range many {
		many[i].m = make(map[int]int, n/shardCount)
	}
	for k := 0; k < n; k++ {
		plain[k] = k
		one.m[k] = k
		many[k%shardCount].m[k] = k
	}
	repeats := max(1, 400_000/n)
	timed("plain-update", n, n*repeats, func() {
		for r := 0; r < repeats; r++ {
			for k := 0; k < n; k++ {
				plain[k] = k
			}
		}
	})
	timed("plain-lookup", n, n*repeats, func() {
		hits := 0
		for r := 0; r < repeats; r++ {
			for k := 0; k < n; k++ {
				if _, ok := plain[k]; ok {
					hits++
				}
			}
		}
		sinkInt += hits
	})
	names := [2][2]string{{"locked-", "sharded-"}, {"contended-", "spread-"}}
	for g := 1; g <= min(2, runtime.GOMAXPROCS(0)); g++ {
		per := n / g
		note(names[g-1][0]+"update", n, together(g, func(g int) {
			for r := 0; r < repeats; r++ {
				for k := g * per; k < (g+1)*per; k++ {
					one.Lock()
					one.m[k] = k
					one.Unlock()
				}
			}
		})/float64(per*repeats))
		note(names[g-1][1]+"update", n, together(g, func(g int) {
			for r := 0; r < repeats; r++ {
				for k := g * per; k < (g+1)*per; k++ {
					s := &many[k%shardCount]
					s.Lock()
					s.m[k] = k
					s.Unlock()
				}
			}
		})/float64(per*repeats))
		note(names[g-1][0]+"lookup", n, together(g, func(g int) {
			hits := 0
			for r := 0; r < repeats; r++ {
				for k := g * per; k < (g+1)*per; k++ {
					one.RLock()
					if _, ok := one.m[k]; ok {
						hits++
					}
					one.RUnlock()
				}
			}
			runtime.KeepAlive(hits)
		})/float64(per*repeats))
		note(names[g-1][1]+"lookup", n, together(g, func(g int) {
			hits := 0
			for r := 0; r < repeats; r++ {
				for k := g * per; k < (g+1)*per; k++ {
					s := &many[k%shardCount]
					s.RLock()
					if _, ok := s.m[k]; ok {
						hits++
					}
					s.RUnlock()
				}
			}
			runtime.KeepAlive(hits)
		})/float64(per*repeats))
	}
	plain, one.m = nil, nil
	many = [shardCount]shard{}
	runtime.GC()
}

// pools times Get and Put of objects of 24 bytes.
func pools() {
	const n = 200_000
	pool := sync.Pool{New: func() any { return new([3]uintptr) }}
	pool.Put(pool.Get())
	timed("pool-pair", 1, n, func() {
		for i := 0; i < n; i++ {
			p := pool.Get().(*[3]uintptr)
			p[0]++
			pool.Put(p)
		}
	})
	var held [64]*[3]uintptr
	timed("pool-pair", len(held), n, func() {
		for i := 0; i < n; i += len(held) {
			for j := range held {
				held[j] = pool.Get().(*[3]uintptr)
			}
			for _, p := range held {
				pool.Put(p)
			}
		}
	})
	empty := sync.Pool{New: func() any { return new([3]uintptr) }}
	timed("pool-new", 1, n, func() {
		for i := 0; i < n; i++ {
			sinkObject = empty.Get().(*[3]uintptr)
		}
	})
	timed("pool-new-allocation", 1, n, func() {
		for i := 0; i < n; i++ {
			sinkObject = new([3]uintptr)
		}
	})
}

// locks times locks that nobody else wants.
func locks() {
	const n = 1_000_000
	var mutex sync.Mutex
	timed("mutex", 0, n, func() {
		for i := 0; i < n; i++ {
			mutex.Lock()
			mutex.Unlock()
		}
	})
	var rw sync.RWMutex
	timed("rwmutex-write", 0, n, func() {
		for i := 0; i < n; i++ {
			rw.Lock()
			rw.Unlock()
		}
	})
	timed("rwmutex-read", 0, n, func() {
		for i := 0; i < n; i++ {
			rw.RLock()
			rw.RUnlock()
		}
	})
}

// repeats is n, or a third of it when CALIBRATE=quick.
func repeats(n int) int {
	if os.Getenv("CALIBRATE") == "quick" {
		return max(2, n/3)
	}
	return n
}

func main() {
	debug.SetGCPercent(-1)
	for r := 0; r < repeats(7); r++ {
		locks()
		pools()
		for _, n := range []int{1000, 10_000, 100_000, 1_000_000} {
			if n < 1_000_000 || r < repeats(4) {
				locked(n)
				if runtime.GOMAXPROCS(0) == 1 {
					syncMap(n)
				}
			}
		}
	}
	for _, one := range all {
		ns := one.ns
		sort.Float64s(ns)
		fmt.Printf("%s,sync,%d,%s,%d,%.2f,%.2f,%.2f\n", runtime.Version(), runtime.GOMAXPROCS(0), one.what, one.size, ns[0], ns[len(ns)/4], ns[len(ns)/2])
	}
}
