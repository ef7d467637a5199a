// Command item-server is the ItemService of examples/item.proto on grpc-go, as its users write it.
//
//	item-server --port P [--content-size N] [--stream-items N]
//
// It listens on 127.0.0.1, prints `listening on 127.0.0.1:PORT` (port 0 lets the system choose) and ends on SIGTERM.
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
	flag.Parse()

	content := "Powered by Volo"
	if *size >= 0 {
		content = strings.Repeat("x", *size)
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		log.Fatalf("item-server: %v", err)
	}
	server := grpc.NewServer()
	item.RegisterItemServiceServer(server, &items{content: content, stream: *stream})

	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-ended
		// At once: a benchmark leaves connections open.
		server.Stop()
	}()
	fmt.Printf("listening on %s\n", listener.Addr())
	if err := server.Serve(listener); err != nil {
		log.Fatalf("item-server: %v", err)
	}
}
