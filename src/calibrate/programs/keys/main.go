// Command keys times what programs written by "gclab go" do to come by keys, in nanoseconds a key: numbers drawn at
// random, shuffles, texts. What follows main is the helpers of such programs, word for word.
package main

import (
	"fmt"
	"math"
	"math/bits"
	"os"
	"runtime"
	"runtime/debug"
	"sort"
	"time"
	"unsafe"
)

const (
	below = 1_000_000
	// wholeDomain numbers are shuffled without retries: it is a power of four.
	wholeDomain = 1 << 18
	textCount   = 200_000
)

var (
	sinkInt   int
	sinkText  string
	sinkBytes []byte
)

// texts are the ways to come by a text of some sizes; constants as arguments, because programs have constants.
var texts = []struct {
	size                    int
	text, allocation, known func(k int)
}{
	{8, func(k int) { sinkText = keyText(k, 8) }, func(int) { sinkBytes = make([]byte, 8) }, func(k int) { sinkInt += int(knownKey(k, 8)[0]) }},
	{16, func(k int) { sinkText = keyText(k, 16) }, func(int) { sinkBytes = make([]byte, 16) }, func(k int) { sinkInt += int(knownKey(k, 16)[0]) }},
	{24, func(k int) { sinkText = keyText(k, 24) }, func(int) { sinkBytes = make([]byte, 24) }, func(k int) { sinkInt += int(knownKey(k, 24)[0]) }},
	{32, func(k int) { sinkText = keyText(k, 32) }, func(int) { sinkBytes = make([]byte, 32) }, func(k int) { sinkInt += int(knownKey(k, 32)[0]) }},
	{64, func(k int) { sinkText = keyText(k, 64) }, func(int) { sinkBytes = make([]byte, 64) }, func(k int) { sinkInt += int(knownKey(k, 64)[0]) }},
	{256, func(k int) { sinkText = keyText(k, 256) }, func(int) { sinkBytes = make([]byte, 256) }, func(k int) { sinkInt += int(knownKey(k, 256)[0]) }},
}

// A series is what one kind of work took, repetition by repetition.
type series struct {
	what string
	size int
	ns   []float64
}

var all []*series

// timed times n keys.
func timed(what string, size, n int, body func()) {
	start := time.Now()
	body()
	ns := float64(time.Since(start).Nanoseconds()) / float64(n)
	for _, known := range all {
		if known.what == what && known.size == size {
			known.ns = append(known.ns, ns)
			return
		}
	}
	all = append(all, &series{what, size, []float64{ns}})
}

// draws times generators.
func draws() {
	sum := 0
	timed("random", below, below, func() {
		for i, numbers := 0, newStream(1, 1, 0); i < below; i++ {
			sum += int(numbers.below(below))
		}
	})
	for _, count := range []int{wholeDomain, 300_000, 400_000} {
		timed("permute", count, wholeDomain, func() {
			for i, order := 0, newPermutation(uint64(count), 1, 1, 0); i < wholeDomain; i++ {
				sum += order.at(i)
			}
		})
	}
	timed("zipf-harmonic", below, below/4, func() {
		for i, numbers := 0, newZipf(below, 1.0, newStream(1, 1, 0)); i < below/4; i++ {
			sum += numbers.draw()
		}
	})
	timed("zipf", below, below/4, func() {
		for i, numbers := 0, newZipf(below, 1.2, newStream(1, 1, 0)); i < below/4; i++ {
			sum += numbers.draw()
		}
	})
	sinkInt += sum
}

// keys calls one way to come by a text for every key.
func keys(what string, size int, one func(k int)) {
	runtime.GC()
	timed(what, size, textCount, func() {
		for k := 0; k < textCount; k++ {
			one(k)
		}
	})
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
	for r := 0; r < repeats(15); r++ {
		draws()
		// The first is what the loop and the call cost, to be taken off.
		keys("call", 0, func(k int) { sinkInt += k })
		keys("constant-text", 8, func(k int) { sinkInt += int(constantKey(k)[0]) })
		for _, way := range texts {
			keys("text-allocation", way.size, way.allocation)
			keys("text", way.size, way.text)
			keys("known-text", way.size, way.known)
		}
	}
	for _, one := range all {
		ns := one.ns
		sort.Float64s(ns)
		fmt.Printf("%s,keys,%s,%d,%.2f,%.2f,%.2f\n", runtime.Version(), one.what, one.size, ns[0], ns[len(ns)/4], ns[len(ns)/2])
	}
}

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

// letters is random text; its parts are keys.
var letters [1 << 17]byte

func init() {
	for i := range letters {
		letters[i] = byte(mix(uint64(i)))
	}
}

// constantKey returns the text of key k. All texts differ in where they begin or how long they are, and none is on the
// heap: like constants they lie in the program itself.
func constantKey(k int) string {
	return text(letters[k%(1<<16):][:8+k>>16])
}

// A zipf draws the number k with a probability in proportion to 1/(k+1)^exponent, by rejection-inversion
// (W. Hörmann, G. Derflinger, 1996).
type zipf struct {
	*stream
	below, exponent, low, high, accept float64
}

func newZipf(below uint64, exponent float64, s *stream) *zipf {
	z := &zipf{stream: s, below: float64(below), exponent: exponent}
	z.low = z.area(1.5) - 1
	z.high = z.area(z.below + 0.5)
	z.accept = 2 - z.inverse(z.area(2.5)-z.height(2))
	return z
}

func (z *zipf) draw() int {
	for {
		unit := float64(z.next()>>11) / (1 << 53)
		area := z.high + unit*(z.low-z.high)
		x := z.inverse(area)
		rank := math.Min(math.Max(math.Floor(x+0.5), 1), z.below)
		if rank-x <= z.accept || area >= z.area(rank+0.5)-z.height(rank) {
			return int(rank) - 1
		}
	}
}

func (z *zipf) height(x float64) float64 {
	return math.Exp(-z.exponent * math.Log(x))
}

// area is an antiderivative of height.
func (z *zipf) area(x float64) float64 {
	rise := 1 - z.exponent
	if math.Abs(rise) < 1e-9 {
		return math.Log(x)
	}
	return (math.Exp(rise*math.Log(x)) - 1) / rise
}

func (z *zipf) inverse(area float64) float64 {
	rise := 1 - z.exponent
	if math.Abs(rise) < 1e-9 {
		return math.Exp(area)
	}
	return math.Exp(math.Log(math.Max(1+area*rise, 0x1p-1022)) / rise)
}

// A permutation puts the numbers below count into a random order without a list of them: a Feistel network of four
// rounds enciphers each number until the result is below count.
type permutation struct {
	count, half, mask uint64
	keys              [4]uint64
}

func newPermutation(count, seed, step, turn uint64) *permutation {
	p := &permutation{count: count}
	for 1<<(2*p.half) < count {
		p.half++
	}
	p.mask = 1<<p.half - 1
	first := mix(mix(mix(seed)^step) ^ turn)
	for i := range p.keys {
		p.keys[i] = mix(first ^ uint64(i))
	}
	return p
}

// at returns the number at index i.
func (p *permutation) at(i int) int {
	x := p.encipher(uint64(i))
	for x >= p.count {
		x = p.encipher(x)
	}
	return int(x)
}

func (p *permutation) encipher(x uint64) uint64 {
	left, right := x>>p.half, x&p.mask
	for _, key := range p.keys {
		left, right = right, left^mix(right^key)&p.mask
	}
	return left<<p.half | right
}

// A stream is a splitmix64 generator: random numbers that are the same in every language.
type stream uint64

// newStream returns the numbers of one step of the program in its given turn.
func newStream(seed, step, turn uint64) *stream {
	s := stream(mix(mix(mix(seed)^step) ^ turn))
	return &s
}

func (s *stream) next() uint64 {
	x := mix(uint64(*s))
	*s += 0x9e3779b97f4a7c15
	return x
}

// below returns a number from 0 up to, not including, n.
func (s *stream) below(n uint64) uint64 {
	high, _ := bits.Mul64(s.next(), n)
	return high
}

// mix moves every bit of x to every other.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
