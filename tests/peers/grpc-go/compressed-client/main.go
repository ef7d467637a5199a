// Command compressed-client runs cases of gRPC's interoperability tests with every message that it sends compressed. The official
// client has no flag for that.
//
//	compressed-client --server_port P --test_case NAME --compression gzip|zstd
//
// Exit code 1 with a reason on stderr when a case fails.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"slices"
	"strings"

	_ "grpc-go-peer/zstd"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/interop"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
)

type run func(context.Context, testgrpc.TestServiceClient, ...grpc.CallOption)

var cases = map[string]run{
	"empty_unary":             interop.DoEmptyUnaryCall,
	"large_unary":             interop.DoLargeUnaryCall,
	"client_streaming":        interop.DoClientStreaming,
	"server_streaming":        interop.DoServerStreaming,
	"ping_pong":               interop.DoPingPong,
	"empty_stream":            interop.DoEmptyStream,
	"custom_metadata":         interop.DoCustomMetadata,
	"status_code_and_message": interop.DoStatusCodeAndMessage,
}

func main() {
	log.SetFlags(0)
	port := flag.Int("server_port", 0, "port on 127.0.0.1")
	name := flag.String("test_case", "", "the case")
	compression := flag.String("compression", gzip.Name, "gzip or zstd")
	flag.Parse()
	test, ok := cases[*name]
	if !ok {
		known := slices.Sorted(func(yield func(string) bool) {
			for name := range cases {
				if !yield(name) {
					return
				}
			}
		})
		log.Fatalf("compressed-client: --test_case is one of %s", strings.Join(known, ", "))
	}
	connection, err := grpc.NewClient(
		fmt.Sprintf("127.0.0.1:%d", *port),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
	)
	if err != nil {
		log.Fatalf("compressed-client: %v", err)
	}
	defer connection.Close()
	test(context.Background(), testgrpc.NewTestServiceClient(connection), grpc.UseCompressor(*compression))
}
