package main

import (
	"fmt"
	"math"
	"math/rand"
	"slices"

	gen "kitex-peer/kitex_gen/estate"
)

var (
	texts     = []string{"", "a", "Hello Kitex", "日本語のテキスト", "emoji 🎈🧵", "nul \x00 inside", "line\nbreak"}
	fractions = []float64{0, 1, -1.5, 0.1, math.MaxFloat64, math.SmallestNonzeroFloat64, math.Inf(1), math.Inf(-1)}
	// 12345 has no name: a newer peer may have more of them, and numbers must survive.
	kinds = []gen.Kind{gen.Kind_HOUSE, gen.Kind_BARN, gen.Kind_GATE, gen.Kind(12345)}
)

func pick[T any](random *rand.Rand, from []T) T { return from[random.Intn(len(from))] }

// some makes up to five values, never nil: an empty list comes back as one.
func some[T any](random *rand.Rand, one func() T) []T {
	list := make([]T, random.Intn(6))
	for index := range list {
		list[index] = one()
	}
	return list
}

func randomPlace(random *rand.Rand) *gen.Place {
	return &gen.Place{X: int32(random.Uint32()), Y: int32(random.Intn(3)) - 1}
}

func randomParcel(random *rand.Rand, depth int) *gen.Parcel {
	text := func() string { return pick(random, texts) }
	parcel := &gen.Parcel{
		Tiny:     int8(random.Uint32()),
		Small:    int16(random.Uint32()),
		Number:   int32(random.Uint32()),
		Large:    int64(random.Uint64()),
		Fraction: pick(random, fractions),
		Text:     text(),
		Data:     some(random, func() byte { return byte(random.Uint32()) }),
		Kind:     pick(random, kinds),
		Place:    randomPlace(random),
		Places:   some(random, func() *gen.Place { return randomPlace(random) }),
		Sizes:    map[string]int64{},
		Numbers:  some(random, func() int32 { return int32(random.Uint32()) }),
		Names:    map[int32][]string{},
	}
	for range random.Intn(4) {
		parcel.Sizes[fmt.Sprint(text(), random.Intn(9))] = int64(random.Uint64())
		parcel.Names[int32(random.Uint32())] = some(random, text)
	}
	sortNumbers(parcel)
	if random.Intn(2) == 0 {
		remark := text()
		parcel.Remark = &remark
	}
	if depth < 4 && random.Intn(2) == 0 {
		parcel.Inner = randomParcel(random, depth+1)
	}
	return parcel
}

// sortNumbers puts sets in an order: Kitex has lists for them, and peers may answer in any other.
func sortNumbers(parcel *gen.Parcel) {
	for ; parcel != nil; parcel = parcel.Inner {
		slices.Sort(parcel.Numbers)
	}
}
