// Command item-server is the ItemService of examples/item.proto on grpc-go, as its users write it.
//
//	item-server --port P [--content-size N] [--stream-items N]
//	            [--min-ping-interval D] [--pings-without-calls] [--max-connection-age D] [--max-connection-age-grace D] [--graceful]
//
// It listens on 127.0.0.1, prints `listening on 127.0.0.1:PORT` (port 0 lets the system choose) and ends on SIGTERM: at once, or with
// --graceful when its calls are over. The other options are grpc-go's keepalive.EnforcementPolicy and keepalive.ServerParameters.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"grpc-go-peer/item"
)

type items struct {
	item.UnimplementedItemServiceServer
	content string
	stream  int64
}

func (s *items) GetItem(_ context.Context, request *item.GetItemRequest) (*item.GetItemResponse, error) {
	return &item.GetItemResponse{Item: &item.Item{Id: request.Id, Title: "Hello gRPC", Content: s.content}}, nil
}

func (s *items) StreamItems(request *item.GetItemRequest, out grpc.ServerStreamingServer[item.Item]) error {
	for n := int64(1); n <= s.stream; n++ {
		if err := out.Send(&item.Item{Id: request.Id + n, Title: fmt.Sprintf("Item %d", n), Content: s.content}); err != nil {
			return err
		}
	}
	return nil
}

func (s *items) ClientStream(in grpc.ClientStreamingServer[item.Item, item.GetItemResponse]) error {
	var last *item.Item
	for {
		next, err := in.Recv()
		if errors.Is(err, io.EOF) {
			return in.SendAndClose(&item.GetItemResponse{Item: last})
		}
		if err != nil {
			return err
		}
		last = next
	}
}

func (s *items) BidirectionalStream(stream grpc.BidiStreamingServer[item.Item, item.Item]) error {
	for {
		next, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(next); err != nil {
			return err
		}
	}
}

func main() {
	log.SetFlags(0)
	port := flag.Int("port", 0, "port, 0: any")
	size := flag.Int("content-size", -1, "length of the content")
	stream := flag.Int64("stream-items", 10, "items of StreamItems")
	enforcement, parameters := keepalive.EnforcementPolicy{}, keepalive.ServerParameters{}
	flag.DurationVar(&enforcement.MinTime, "min-ping-interval", 0, "PINGs of clients that come sooner are strikes; 0: grpc-go's default")
	flag.BoolVar(&enforcement.PermitWithoutStream, "pings-without-calls", false, "let clients without calls send PINGs")
	flag.DurationVar(&parameters.MaxConnectionAge, "max-connection-age", 0, "age at which connections are told to go; 0: never")
	flag.DurationVar(&parameters.MaxConnectionAgeGrace, "max-connection-age-grace", 0, "time for the calls of such connections; 0: any")
	graceful := flag.Bool("graceful", false, "let calls finish at the end")
	flag.Parse()

	content := "Powered by Volo"
	if *size >= 0 {
		content = strings.Repeat("x", *size)
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		log.Fatalf("item-server: %v", err)
	}
	server := grpc.NewServer(grpc.KeepaliveEnforcementPolicy(enforcement), grpc.KeepaliveParams(parameters))
	item.RegisterItemServiceServer(server, &items{content: content, stream: *stream})

	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-ended
		if *graceful {
			server.GracefulStop()
			return
		}
		// A benchmark leaves connections open.
		server.Stop()
	}()
	fmt.Printf("listening on %s\n", listener.Addr())
	if err := server.Serve(listener); err != nil {
		log.Fatalf("item-server: %v", err)
	}
}
