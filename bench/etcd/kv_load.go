package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

const keysMax = 10_000_000

// kvLoad puts and gets random keys in one loop per client for the seconds, gets linearizable, and prints the same JSON
// as bench/http-load. With 0 seconds it puts each key once.
func kvLoad(endpoints []string, clients, seconds, putPercent, valueBytes, keys int) {
	if clients < 1 || clients > clientsMax || seconds < 0 || seconds > secondsMax || valueBytes > valueBytesMax || keys < 1 || keys > keysMax {
		log.Fatalf("kv-load: 1 to %d clients, 0 to %d seconds, at most %d bytes, 1 to %d keys", clientsMax, secondsMax, valueBytesMax, keysMax)
	}
	connections := make([]*clientv3.Client, (clients+clientsPerConnection-1)/clientsPerConnection)
	for i := range connections {
		// Each connection has one member, so that the load is spread evenly over them.
		connections[i] = connect([]string{endpoints[i%len(endpoints)]}, 1)[0]
	}
	latencies := make([][]time.Duration, clients)
	start := time.Now()
	end := start.Add(time.Duration(seconds) * time.Second)
	var group sync.WaitGroup
	for c := range clients {
		group.Go(func() {
			latencies[c] = kvUntil(end, connections[c%len(connections)], c, kvKind{seconds == 0, putPercent, keys, clients}, strings.Repeat("x", valueBytes))
		})
	}
	group.Wait()
	elapsed := time.Since(start)
	all := slices.Concat(latencies...)
	slices.Sort(all)
	at := func(thousandths int) float64 { return milliseconds(all[min(len(all)-1, len(all)*thousandths/1000)]) }
	result := map[string]float64{
		"perSecond": float64(len(all)) / elapsed.Seconds(),
		"p50Ms":     at(500),
		"p99Ms":     at(990),
		"p999Ms":    at(999),
		"maxMs":     at(1000),
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		log.Fatal(err)
	}
}

type kvKind struct {
	isFill                    bool
	putPercent, keys, clients int
}

func kvUntil(end time.Time, client *clientv3.Client, number int, kind kvKind, value string) []time.Duration {
	var latencies []time.Duration
	random := rand.New(rand.NewPCG(uint64(number), 1))
	for done := 0; ; done++ {
		start := time.Now()
		isPut, place := random.IntN(100) < kind.putPercent, random.IntN(kind.keys)
		if kind.isFill {
			isPut, place = true, number+done*kind.clients
		}
		if place >= kind.keys || !kind.isFill && !start.Before(end) {
			return latencies
		}
		key := fmt.Sprintf("key-%d", place)
		ctx, cancel := context.WithTimeout(context.Background(), putTimeout)
		var err error
		if isPut {
			_, err = client.Put(ctx, key, value)
		} else {
			_, err = client.Get(ctx, key)
		}
		cancel()
		if err != nil {
			log.Fatal(err)
		}
		latencies = append(latencies, time.Since(start))
	}
}
