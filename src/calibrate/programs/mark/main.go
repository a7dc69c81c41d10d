// Command mark times the collector on heaps of known shape: usage mark SHAPE NODE_BYTES TOTAL_MIB.
//
// It builds the heap with the collector off, then runs runtime.GC() several times and prints, for the fastest cycles,
// the wall time of runtime.GC(), of concurrent marking, of both pauses, and the CPU the workers used
// (/cpu/classes/gc/mark/*), divided by the objects of the shape.
package main

import (
	"fmt"
	"math/rand"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sort"
	"strconv"
	"time"
	"unsafe"
)

// A far node has its pointers at both ends.
type far[R any] struct {
	next *far[R]
	rest R
	last *far[R]
}

// A node has one, two or four pointers in front and dead weight behind.
type node1[R any] struct {
	next *node1[R]
	rest R
}

type node2[R any] struct {
	left, right *node2[R]
	rest        R
}

type node4[R any] struct {
	to   [4]*node4[R]
	rest R
}

var (
	root  any
	roots []any
)

func order(n int, shuffled bool) []int32 {
	at := make([]int32, n)
	for i := range at {
		at[i] = int32(i)
	}
	if shuffled {
		rand.New(rand.NewSource(1)).Shuffle(n, func(i, j int) { at[i], at[j] = at[j], at[i] })
	}
	return at
}

// list links n nodes; the order of links is that of allocation, or a random permutation.
func list[R any](n int, shuffled bool) {
	nodes := make([]*node1[R], n)
	for i := range nodes {
		nodes[i] = new(node1[R])
	}
	at := order(n, shuffled)
	for i := 1; i < n; i++ {
		nodes[at[i-1]].next = nodes[at[i]]
	}
	root = nodes[at[0]]
}

// listBackwards links each new node in front of the older ones, as a program that pushes does.
func listBackwards[R any](n int) {
	var head *node1[R]
	for i := 0; i < n; i++ {
		head = &node1[R]{next: head}
	}
	root = head
}

// slice holds n objects that point nowhere.
func slice[T any](n int, shuffled bool) {
	objects := make([]*T, n)
	for i := range objects {
		objects[i] = new(T)
	}
	if shuffled {
		at := order(n, true)
		mixed := make([]*T, n)
		for i := range mixed {
			mixed[i] = objects[at[i]]
		}
		objects = mixed
	}
	root = objects
}

func tree[R any](depth int) *node2[R] {
	if depth == 0 {
		return nil
	}
	n := new(node2[R])
	n.left = tree[R](depth - 1)
	n.right = tree[R](depth - 1)
	return n
}

// treePostOrder makes the children before their parent.
func treePostOrder[R any](depth int) *node2[R] {
	if depth == 0 {
		return nil
	}
	l, r := treePostOrder[R](depth-1), treePostOrder[R](depth-1)
	return &node2[R]{left: l, right: r}
}

// graph gives each of n nodes degree random successors and keeps all reachable through a slice of one root per 1000.
func graph[R any](n, degree int) {
	nodes := make([]*node4[R], n)
	for i := range nodes {
		nodes[i] = new(node4[R])
	}
	r := rand.New(rand.NewSource(1))
	for i := range nodes {
		for d := 0; d < degree; d++ {
			nodes[i].to[d] = nodes[r.Intn(n)]
		}
	}
	// A chain through a random permutation keeps everything reachable only via the first pointer's subgraph.
	root = nodes[0]
	roots = append(roots, nodes[:min(n, 64)])
}

func build(shape string, size, total int) (objects int) {
	objects = total / max(size, 1)
	switch shape {
	case "list", "listshuffled":
		sh := shape == "listshuffled"
		switch size {
		case 16:
			list[[8]byte](objects, sh)
		case 32:
			list[[24]byte](objects, sh)
		case 64:
			list[[56]byte](objects, sh)
		case 128:
			list[[120]byte](objects, sh)
		case 256:
			list[[248]byte](objects, sh)
		case 512:
			list[[504]byte](objects, sh)
		case 1024:
			list[[1016 - 8]byte](objects, sh)
		}
	case "listwords", "listwordsshuffled":
		// As list, but the rest is pointer words that are nil: the whole object is scanned.
		sh := shape == "listwordsshuffled"
		switch size {
		case 64:
			list[[7]*byte](objects, sh)
		case 128:
			list[[15]*byte](objects, sh)
		case 256:
			list[[31]*byte](objects, sh)
		case 1024:
			list[[126]*byte](objects, sh)
		}
	case "listback":
		listBackwards[[56]byte](objects)
	case "noscanslice", "noscanshuffled":
		sh := shape == "noscanshuffled"
		switch size {
		case 16:
			slice[[16]byte](objects, sh)
		case 32:
			slice[[32]byte](objects, sh)
		case 64:
			slice[[64]byte](objects, sh)
		case 256:
			slice[[256]byte](objects, sh)
		case 1024:
			slice[[1024]byte](objects, sh)
		case 8192:
			slice[[8192]byte](objects, sh)
		}
	case "scanslice", "scanshuffled":
		sh := shape == "scanshuffled"
		switch size {
		case 16:
			slice[node1[[8]byte]](objects, sh)
		case 32:
			slice[node1[[24]byte]](objects, sh)
		case 64:
			slice[node1[[56]byte]](objects, sh)
		case 256:
			slice[node1[[248]byte]](objects, sh)
		case 1024:
			slice[node1[[1008]byte]](objects, sh)
		}
	case "wordslice", "wordshuffled":
		sh := shape == "wordshuffled"
		switch size {
		case 64:
			slice[[8]*byte](objects, sh)
		case 256:
			slice[[32]*byte](objects, sh)
		case 1024:
			slice[[127]*byte](objects, sh)
		case 8192:
			slice[[1023]*byte](objects, sh)
		}
	case "farslice", "farshuffled":
		slice[far[[992]byte]](objects, shape == "farshuffled")
	case "tree", "treepost":
		depth := 1
		for 1<<(depth+1)*size <= total {
			depth++
		}
		objects = 1<<depth - 1
		post := shape == "treepost"
		switch {
		case size == 48 && post:
			root = treePostOrder[[32]byte](depth)
		case size == 48:
			root = tree[[32]byte](depth)
		case size == 64 && post:
			root = treePostOrder[[48]byte](depth)
		case size == 64:
			root = tree[[48]byte](depth)
		}
	case "graph2":
		graph[[32]byte](objects, 2)
	case "graph4":
		graph[[32]byte](objects, 4)
	case "nilarray":
		root = make([]*byte, total/8)
		objects = total / 8
	case "fewarray":
		few := [16]*[64]byte{}
		for i := range few {
			few[i] = new([64]byte)
		}
		a := make([]*[64]byte, total/8)
		for i := range a {
			a[i] = few[i%16]
		}
		root = a
		objects = total / 8
	case "mapptr":
		objects = total / 64
		m := make(map[int]*[64]byte, objects)
		for i := 0; i < objects; i++ {
			m[i] = new([64]byte)
		}
		root = m
	case "mapnil":
		objects = total / 64
		m := make(map[int]*[64]byte, objects)
		for i := 0; i < objects; i++ {
			m[i] = nil
		}
		root = m
	case "mapint":
		objects = total / 64
		m := make(map[int]int, objects)
		for i := 0; i < objects; i++ {
			m[i] = i
		}
		root = m
	case "noscan":
		root = make([]byte, total)
		objects = 1
	case "twolists", "fourlists":
		k := 2
		if shape == "fourlists" {
			k = 4
		}
		for i := 0; i < k; i++ {
			list[[56]byte](objects/k, false)
			roots = append(roots, root)
			root = nil
		}
	case "empty":
	}
	if objects == 0 {
		objects = 1
	}
	return objects
}

var series = []metrics.Sample{
	{Name: "/cpu/classes/gc/mark/dedicated:cpu-seconds"},
	{Name: "/cpu/classes/gc/mark/idle:cpu-seconds"},
	{Name: "/cpu/classes/gc/mark/assist:cpu-seconds"},
	{Name: "/gc/scan/heap:bytes"},
	{Name: "/gc/scan/total:bytes"},
}

// A cycle is one runtime.GC(): from the call to the end of mark termination, and from there (sweeping) to the return.
type cycle struct{ wall, marking, sweeping, pause, mark, scanHeap float64 }

// repeats is n, or a third of it when CALIBRATE=quick.
func repeats(n int) int {
	if os.Getenv("CALIBRATE") == "quick" {
		return max(3, n/3)
	}
	return n
}

func main() {
	shape := os.Args[1]
	size, _ := strconv.Atoi(os.Args[2])
	mib, _ := strconv.ParseFloat(os.Args[3], 64)
	rounds := repeats(7)
	if mib <= 16 {
		rounds = repeats(41)
	}
	debug.SetGCPercent(-1)
	objects := build(shape, size, int(mib*(1<<20)))
	runtime.GC()
	runtime.GC()
	var all []cycle
	var before, after runtime.MemStats
	for i := 0; i < rounds; i++ {
		time.Sleep(2 * time.Millisecond)
		runtime.ReadMemStats(&before)
		metrics.Read(series)
		mark := series[0].Value.Float64() + series[1].Value.Float64() + series[2].Value.Float64()
		start := time.Now()
		runtime.GC()
		wall := float64(time.Since(start).Nanoseconds())
		metrics.Read(series)
		mark = (series[0].Value.Float64() + series[1].Value.Float64() + series[2].Value.Float64() - mark) * 1e9
		runtime.ReadMemStats(&after)
		end := float64(start.UnixNano()) + wall
		sweeping := end - float64(after.LastGC)
		all = append(all, cycle{wall, wall - sweeping, sweeping, float64(after.PauseTotalNs - before.PauseTotalNs), mark, float64(series[3].Value.Uint64())})
	}
	sort.Slice(all, func(i, j int) bool { return all[i].wall < all[j].wall })
	best := all[len(all)/4]
	n := float64(objects)
	spans := float64(after.HeapInuse) / 8192
	fmt.Printf("%s,mark,%d,%s,%d,%g,%d,%d,%.3f,%.3f,%.3f,%.3f,%.1f,%.0f,%.2f,%.2f,%.1f\n", runtime.Version(), runtime.GOMAXPROCS(0),
		shape, size, mib, objects, int(after.HeapObjects), best.wall/1e6, best.marking/1e6, best.sweeping/1e6, best.mark/1e6, best.pause/1e3, best.scanHeap/1024,
		best.marking/n, best.mark/n, best.sweeping/spans)
	runtime.KeepAlive(unsafe.Pointer(&root))
}
