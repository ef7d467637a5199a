// Command estate-server serves Estate and Annex of tests/fixtures/estate.thrift with Kitex.
//
//	estate-server --port P [--transport framed|ttheader|ttheader-framed] [--mux]
//
// It finds out by itself which transport a client speaks; --transport is that of the calls that `chain` makes. Prints
// `listening on 127.0.0.1:PORT` and ends on SIGTERM.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/cloudwego/kitex/pkg/klog"
	"github.com/cloudwego/kitex/pkg/rpcinfo"
	"github.com/cloudwego/kitex/pkg/transmeta"
	"github.com/cloudwego/kitex/server"

	"kitex-peer/form"
	"kitex-peer/kitex_gen/estate/annex"
	"kitex-peer/kitex_gen/estate/estate"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("kitex estate-server: ")
	port := flag.Int("port", 0, "0 lets the system choose")
	var wire form.Form
	wire.Flags()
	flag.Parse()
	if err := run(*port, wire); err != nil {
		log.Fatal(err)
	}
}

func run(port int, wire form.Form) error {
	// Every failing call would be a line: the tests make many.
	klog.SetLevel(klog.LevelFatal)
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	options := []server.Option{
		server.WithListener(listener),
		server.WithServerBasicInfo(&rpcinfo.EndpointBasicInfo{ServiceName: "estate"}),
		server.WithMetaHandler(transmeta.ServerTTHeaderHandler),
		server.WithExitSignal(none),
	}
	if wire.Mux {
		options = append(options, server.WithMuxTransport())
	}
	serving := server.NewServer(options...)
	if err := estate.RegisterService(serving, &estateHandler{wire: wire}, server.WithFallbackService()); err != nil {
		return err
	}
	if err := annex.RegisterService(serving, &annexHandler{}); err != nil {
		return err
	}
	exitOnTerminate()
	fmt.Printf("listening on %s\n", listener.Addr())
	return serving.Run()
}

// none is in place of Kitex's own signals, after which it waits for connections that clients leave open.
func none() <-chan error { return make(chan error) }

func exitOnTerminate() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-signals
		os.Exit(0)
	}()
}
