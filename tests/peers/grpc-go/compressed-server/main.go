// Command compressed-server is the server of gRPC's interoperability tests with gzip and zstd, which the official one has not: what it gets
// compressed it answers compressed.
//
//	compressed-server --port P
//
// It listens on 127.0.0.1, prints `listening on 127.0.0.1:PORT` (port 0 lets the system choose) and ends on SIGTERM.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"

	_ "grpc-go-peer/zstd"

	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/interop"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
)

func main() {
	log.SetFlags(0)
	port := flag.Int("port", 0, "port, 0: any")
	flag.Parse()
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		log.Fatalf("compressed-server: %v", err)
	}
	server := grpc.NewServer()
	testgrpc.RegisterTestServiceServer(server, interop.NewTestServer())
	fmt.Printf("listening on %s\n", listener.Addr())
	if err := server.Serve(listener); err != nil {
		log.Fatalf("compressed-server: %v", err)
	}
}
