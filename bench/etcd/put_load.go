package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	clientsMax    = 1024
	secondsMax    = 120
	valueBytesMax = 1 << 20
	// Clients that share a connection: etcd's own benchmark tool spreads its clients over connections too.
	clientsPerConnection = 8
	putTimeout           = 10 * time.Second
)

// putLoad puts in one loop per client for the seconds, and prints the rate and the latencies as JSON.
func putLoad(endpoints []string, clients, seconds, valueBytes int) {
	if clients < 1 || clients > clientsMax || seconds < 1 || seconds > secondsMax || valueBytes > valueBytesMax {
		log.Fatalf("put-load: 1 to %d clients, 1 to %d seconds, at most %d bytes", clientsMax, secondsMax, valueBytesMax)
	}
	connections := connect(endpoints, (clients+clientsPerConnection-1)/clientsPerConnection)
	value := strings.Repeat("x", valueBytes)
	latencies := make([][]time.Duration, clients)
	start := time.Now()
	end := start.Add(time.Duration(seconds) * time.Second)
	var group sync.WaitGroup
	for c := range clients {
		group.Go(func() { latencies[c] = putUntil(end, connections[c%len(connections)], c, value) })
	}
	group.Wait()
	elapsed := time.Since(start)
	all := slices.Concat(latencies...)
	slices.Sort(all)
	result := map[string]float64{
		"puts":  float64(len(all)) / elapsed.Seconds(),
		"p50Ms": milliseconds(all[len(all)/2]),
		"p99Ms": milliseconds(all[len(all)*99/100]),
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		log.Fatal(err)
	}
}

func connect(endpoints []string, count int) []*clientv3.Client {
	connections := make([]*clientv3.Client, count)
	for i := range connections {
		client, err := clientv3.New(clientv3.Config{Endpoints: endpoints, DialTimeout: putTimeout})
		if err != nil {
			log.Fatal(err)
		}
		connections[i] = client
	}
	return connections
}

func putUntil(end time.Time, client *clientv3.Client, number int, value string) []time.Duration {
	var latencies []time.Duration
	for i := 0; ; i++ {
		start := time.Now()
		if !start.Before(end) {
			return latencies
		}
		ctx, cancel := context.WithTimeout(context.Background(), putTimeout)
		_, err := client.Put(ctx, fmt.Sprintf("key-%d", (number*7919+i)%10000), value)
		cancel()
		if err != nil {
			log.Fatal(err)
		}
		latencies = append(latencies, time.Since(start))
	}
}

func milliseconds(duration time.Duration) float64 { return float64(duration.Microseconds()) / 1000 }
