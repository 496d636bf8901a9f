// Command resp-load puts and gets keys over RESP2, the same for Kvorum and for Redis, and prints rate, latencies, errors and its own
// CPU time as JSON. One thread serves all sockets by epoll, so that it takes little of the cores that the servers under load share
// with it. Linux only.
//
//	resp-load --endpoints HOST:PORT,... [--route owners|any] [--clients N] [--depth N] [--seconds N] [--operations N] ...
//
// A client is a closed loop: it sends as many requests as its depth says, waits for all their answers, and sends the next ones. With
// the route "owners" it has a socket to each node and sends each request to the owner of its key, as the first node tells by
// CLUSTER SLOTS: what a client of Redis in cluster mode does. With "any" it has one socket, to one of the endpoints.
// With --wait N the puts that were sent together are followed by one WAIT N, and are done when that is answered.
package main

import (
	"encoding/json"
	"flag"
	"log"
	"os"
	"strings"
	"syscall"
	"time"
)

const (
	clientsMax    = 16_384
	depthMax      = 1024
	secondsMax    = 600
	valueBytesMax = 1 << 20
	keysMax       = 10_000_000
	// Of a batch that the servers do not answer: the run fails.
	stallMax = 30 * time.Second
)

type options struct {
	endpoints  []string
	isToOwners bool
	clients    int
	depth      int
	seconds    float64
	operations int
	putPercent int
	valueBytes int
	keys       int
	keyPrefix  string
	wait       int
	waitMs     int
	rate       float64
	isFill     bool
	isHeld     bool
}

type result struct {
	PerSecond float64 `json:"perSecond"`
	P50Ms     float64 `json:"p50Ms"`
	P99Ms     float64 `json:"p99Ms"`
	P999Ms    float64 `json:"p999Ms"`
	MaxMs     float64 `json:"maxMs"`
	// Puts and gets that were answered as they should be.
	Operations int64 `json:"operations"`
	// Those answered otherwise, by the first words of the answer.
	Errors     map[string]int64 `json:"errors"`
	Seconds    float64          `json:"seconds"`
	CPUSeconds float64          `json:"cpuSeconds"`
}

func main() {
	options := parse()
	load, err := newLoad(options)
	if err != nil {
		log.Fatal(err)
	}
	if options.isHeld {
		hold(load)
		return
	}
	start := time.Now()
	if err := load.run(start); err != nil {
		log.Fatal(err)
	}
	elapsed := time.Since(start).Seconds()
	latencies := &load.latencies
	told := result{
		PerSecond:  float64(latencies.count) / elapsed,
		P50Ms:      latencies.atMs(0.5),
		P99Ms:      latencies.atMs(0.99),
		P999Ms:     latencies.atMs(0.999),
		MaxMs:      float64(latencies.max.Microseconds()) / 1000,
		Operations: latencies.count,
		Errors:     load.errors,
		Seconds:    elapsed,
		CPUSeconds: cpuSeconds(),
	}
	if err := json.NewEncoder(os.Stdout).Encode(told); err != nil {
		log.Fatal(err)
	}
}

func parse() options {
	endpoints := flag.String("endpoints", "", "HOST:PORT of the nodes, with commas between; IPv4")
	route := flag.String("route", "any", "owners: each request to the owner of its key; any: all of a client to one node")
	var o options
	flag.IntVar(&o.clients, "clients", 1, "closed loops")
	flag.IntVar(&o.depth, "depth", 1, "requests that a client sends together")
	flag.Float64Var(&o.seconds, "seconds", 1, "how long; requests under way are waited for")
	flag.IntVar(&o.operations, "operations", 0, "how many at most; 0: as many as there is time for")
	flag.IntVar(&o.putPercent, "put-percent", 0, "of the requests, the rest are gets")
	flag.IntVar(&o.valueBytes, "value-bytes", 256, "of a put")
	flag.IntVar(&o.keys, "keys", 100_000, "random ones among so many")
	flag.StringVar(&o.keyPrefix, "key-prefix", "key-", "before the number of a key")
	flag.IntVar(&o.wait, "wait", 0, "replicas that WAIT asks for after puts; 0: no WAIT")
	flag.IntVar(&o.waitMs, "wait-ms", 5000, "after which WAIT gives up, which is an error")
	flag.Float64Var(&o.rate, "rate", 0, "requests a second of all clients together, by the clock; 0: as fast as they are answered")
	flag.BoolVar(&o.isFill, "fill", false, "put each key once, without regard to --seconds")
	flag.BoolVar(&o.isHeld, "hold", false, "connect, PING once on each socket, say \"held\", and stay idle until standard input ends")
	flag.Parse()
	o.endpoints = strings.Split(*endpoints, ",")
	o.isToOwners = *route == "owners"
	check(*endpoints != "", "--endpoints are needed")
	check(*route == "owners" || *route == "any", "--route is owners or any")
	check(o.clients >= 1 && o.clients <= clientsMax, "--clients: 1 to %d", clientsMax)
	check(o.depth >= 1 && o.depth <= depthMax, "--depth: 1 to %d", depthMax)
	check(o.seconds > 0 && o.seconds <= secondsMax, "--seconds: more than 0, at most %d", secondsMax)
	check(o.valueBytes >= 0 && o.valueBytes <= valueBytesMax, "--value-bytes: 0 to %d", valueBytesMax)
	check(o.keys >= 1 && o.keys <= keysMax, "--keys: 1 to %d", keysMax)
	check(o.putPercent >= 0 && o.putPercent <= 100, "--put-percent: 0 to 100")
	check(o.rate == 0 || o.depth == 1, "--rate goes with --depth 1 only")
	return o
}

func check(isMet bool, format string, arguments ...any) {
	if !isMet {
		log.Fatalf("resp-load: "+format, arguments...)
	}
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	seconds := func(time syscall.Timeval) float64 { return float64(time.Sec) + float64(time.Usec)/1e6 }
	return seconds(usage.Utime) + seconds(usage.Stime)
}
