// Command keepalive-client calls an ItemService once, stays connected without a call while it sends a PING every ten seconds (the least that
// grpc-go lets a client do), and calls again.
//
//	keepalive-client --server_port P --idle D
//
// It prints the states of its connection while it has no call, one a line. Exit code 1 with a reason on stderr when a call fails.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	"grpc-go-peer/item"
)

func main() {
	log.SetFlags(0)
	port := flag.Int("server_port", 0, "port on 127.0.0.1")
	idle := flag.Duration("idle", 0, "time without a call")
	flag.Parse()
	connection, err := grpc.NewClient(
		fmt.Sprintf("127.0.0.1:%d", *port),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time:                10 * time.Second,
			Timeout:             5 * time.Second,
			PermitWithoutStream: true,
		}),
	)
	if err != nil {
		log.Fatalf("keepalive-client: %v", err)
	}
	defer connection.Close()
	client := item.NewItemServiceClient(connection)
	call := func() {
		within, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if _, err := client.GetItem(within, &item.GetItemRequest{Id: 1}); err != nil {
			log.Fatalf("keepalive-client: %v", err)
		}
	}
	call()
	within, cancel := context.WithTimeout(context.Background(), *idle)
	defer cancel()
	for state := connection.GetState(); ; state = connection.GetState() {
		fmt.Println(state)
		if !connection.WaitForStateChange(within, state) {
			break
		}
	}
	call()
}
