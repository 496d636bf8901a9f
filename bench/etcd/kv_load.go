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
	"sync/atomic"
	"syscall"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	keysMax = 10_000_000
	// Requests of one client that are under way at once.
	depthMax = 64
)

// kvLoad puts and gets random keys in one loop per client for the seconds, gets linearizable, and prints the same JSON
// as bench/http-load. With 0 seconds it puts each key once. A depth above 1 is so many loops for each client, on its
// connection: gRPC carries calls side by side. With a rate above 0 the loops together begin so many requests a second, and
// what waits since all loops are busy counts as latency.
func kvLoad(endpoints []string, clients, seconds int, kind kvKind, valueBytes, depth, rate int) {
	if clients < 1 || clients > clientsMax || seconds < 0 || seconds > secondsMax || valueBytes > valueBytesMax || kind.keys < 1 || kind.keys > keysMax || depth < 1 || depth > depthMax {
		log.Fatalf("kv-load: 1 to %d clients, 0 to %d seconds, at most %d bytes, 1 to %d keys, a depth of 1 to %d", clientsMax, secondsMax, valueBytesMax, keysMax, depthMax)
	}
	connections := make([]*clientv3.Client, (clients+clientsPerConnection-1)/clientsPerConnection)
	for i := range connections {
		// Each connection has one member, so that the load is spread evenly over them.
		connections[i] = connect([]string{endpoints[i%len(endpoints)]}, 1)[0]
	}
	kind.loops = clients * depth
	kind.isFill = seconds == 0
	latencies := make([][]time.Duration, kind.loops)
	start := time.Now()
	kind.pace = &pace{start: start, perSecond: rate}
	end := start.Add(time.Duration(seconds) * time.Second)
	var group sync.WaitGroup
	for c := range kind.loops {
		group.Go(func() {
			latencies[c] = kvUntil(end, connections[c%clients%len(connections)], c, kind, strings.Repeat("x", valueBytes))
		})
	}
	group.Wait()
	elapsed := time.Since(start)
	all := slices.Concat(latencies...)
	slices.Sort(all)
	at := func(thousandths int) float64 { return milliseconds(all[min(len(all)-1, len(all)*thousandths/1000)]) }
	result := map[string]float64{
		"perSecond":  float64(len(all)) / elapsed.Seconds(),
		"p50Ms":      at(500),
		"p99Ms":      at(990),
		"p999Ms":     at(999),
		"maxMs":      at(1000),
		"operations": float64(len(all)),
		"cpuSeconds": cpuSeconds(),
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		log.Fatal(err)
	}
}

type kvKind struct {
	isFill                  bool
	putPercent, keys, loops int
	pace                    *pace
}

// pace tells when the next request of all loops together is due; at once where the rate is 0.
type pace struct {
	start     time.Time
	perSecond int
	given     atomic.Int64
}

// next waits until the request is due, and gives the time from which its latency counts.
func (p *pace) next() time.Time {
	if p.perSecond == 0 {
		return time.Now()
	}
	due := p.start.Add(time.Duration(float64(p.given.Add(1)-1) / float64(p.perSecond) * float64(time.Second)))
	if early := time.Until(due); early > 0 {
		time.Sleep(early)
		// That the timer is late is not the server's fault.
		return time.Now()
	}
	return due
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	seconds := func(time syscall.Timeval) float64 { return float64(time.Sec) + float64(time.Usec)/1e6 }
	return seconds(usage.Utime) + seconds(usage.Stime)
}

func kvUntil(end time.Time, client *clientv3.Client, number int, kind kvKind, value string) []time.Duration {
	var latencies []time.Duration
	random := rand.New(rand.NewPCG(uint64(number), 1))
	for done := 0; ; done++ {
		start := kind.pace.next()
		isPut, place := random.IntN(100) < kind.putPercent, random.IntN(kind.keys)
		if kind.isFill {
			isPut, place = true, number+done*kind.loops
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
