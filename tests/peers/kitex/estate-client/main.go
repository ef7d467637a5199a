// Command estate-client calls every method of an Estate and an Annex on one port with Kitex and checks every answer.
//
//	estate-client --port P [--transport framed|ttheader|ttheader-framed] [--mux] [--rounds N] [--seed N] [--skip NAME,...]
//
// Prints `ok N calls`; exit code 1 with what differed on stderr.
package main

import (
	"flag"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/cloudwego/kitex/pkg/klog"

	"kitex-peer/form"
	"kitex-peer/kitex_gen/estate/annex"
	"kitex-peer/kitex_gen/estate/estate"
	"kitex-peer/kitex_gen/estate/nowhere"
)

const (
	// caller is the name that requests carry.
	caller = "kitex-client"
	// timeout of a call; it travels in the header.
	timeout = 24321 * time.Millisecond
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("kitex estate-client: ")
	var wire form.Form
	wire.Flags()
	port := flag.Int("port", 0, "of the server on 127.0.0.1")
	rounds := flag.Int("rounds", 20, "how many random values to echo")
	seed := flag.Int64("seed", 1, "of the random values")
	skip := flag.String("skip", "", "checks to leave out, by name")
	flag.Parse()
	klog.SetLevel(klog.LevelFatal)
	checks, err := connect(wire, fmt.Sprintf("127.0.0.1:%d", *port))
	if err == nil {
		checks.rounds, checks.seed = *rounds, *seed
		err = checks.run(strings.FieldsFunc(*skip, func(letter rune) bool { return letter == ',' }))
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("ok %d calls\n", checks.calls.Load())
}

func connect(wire form.Form, address string) (*checks, error) {
	options := wire.Client(caller, address, timeout)
	c := &checks{wire: wire, address: address}
	var err error
	if c.estate, err = estate.NewClient("estate", options...); err != nil {
		return nil, err
	}
	if c.annex, err = annex.NewClient("annex", options...); err != nil {
		return nil, err
	}
	c.nowhere, err = nowhere.NewClient("nowhere", options...)
	return c, err
}
