// Command etcd is the etcd side of the benchmarks, each mode a process of its own on loopback:
//
//	serve PORT DIR                                  one node
//	load PORT CLIENTS SECONDS                       256-byte puts and linearizable gets on it; both rates as JSON
//	member FLAGS                                    one member of a cluster (member.go)
//	kv-load ENDPOINTS CLIENTS SECONDS PUT_PERCENT VALUE_BYTES KEYS [DEPTH [RATE]]
//	                                                puts and linearizable gets on a cluster; the same (kv_load.go)
//	put-load ENDPOINTS CLIENTS SECONDS VALUE_BYTES  puts on a cluster; rate and latencies as JSON (put_load.go)
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
)

func main() {
	if len(os.Args) < 2 {
		usage()
	}
	arguments := os.Args[2:]
	switch mode := os.Args[1]; {
	case mode == "serve" && len(arguments) == 2:
		serve(number(arguments[0]), arguments[1])
	case mode == "load" && len(arguments) == 3:
		load(number(arguments[0]), number(arguments[1]), time.Duration(number(arguments[2]))*time.Second)
	case mode == "member":
		member(arguments)
	case mode == "put-load" && len(arguments) == 4:
		putLoad(strings.Split(arguments[0], ","), number(arguments[1]), number(arguments[2]), number(arguments[3]))
	case mode == "kv-load" && len(arguments) >= 6 && len(arguments) <= 8:
		depth, rate := 1, 0
		if len(arguments) > 6 {
			depth = number(arguments[6])
		}
		if len(arguments) > 7 {
			rate = number(arguments[7])
		}
		kind := kvKind{putPercent: number(arguments[3]), keys: number(arguments[5])}
		kvLoad(strings.Split(arguments[0], ","), number(arguments[1]), number(arguments[2]), kind, number(arguments[4]), depth, rate)
	default:
		usage()
	}
}

func usage() {
	log.Fatal("usage: serve PORT DIR | load PORT CLIENTS SECONDS | member FLAGS | put-load ENDPOINTS CLIENTS SECONDS VALUE_BYTES | kv-load ENDPOINTS CLIENTS SECONDS PUT_PERCENT VALUE_BYTES KEYS [DEPTH [RATE]]")
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func serve(port int, directory string) {
	config := embed.NewConfig()
	config.Dir = directory
	config.LogLevel = "error"
	client, _ := url.Parse(fmt.Sprintf("http://127.0.0.1:%d", port))
	peer, _ := url.Parse(fmt.Sprintf("http://127.0.0.1:%d", port+1))
	config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{*client}, []url.URL{*client}
	config.ListenPeerUrls, config.AdvertisePeerUrls = []url.URL{*peer}, []url.URL{*peer}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	etcd, err := embed.StartEtcd(config)
	if err != nil {
		log.Fatal(err)
	}
	<-etcd.Server.ReadyNotify()
	fmt.Println("ready")
	log.Fatal(<-etcd.Err())
}

func load(port, clients int, duration time.Duration) {
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{fmt.Sprintf("127.0.0.1:%d", port)}})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	value := strings.Repeat("x", 256)
	puts := rate(clients, duration, func(key string) error {
		_, err := client.Put(context.Background(), key, value)
		return err
	})
	gets := rate(clients, duration, func(key string) error {
		_, err := client.Get(context.Background(), key)
		return err
	})
	if err := json.NewEncoder(os.Stdout).Encode(map[string]float64{"puts": puts, "gets": gets}); err != nil {
		log.Fatal(err)
	}
}

// rate runs one loop per client for the duration and returns operations per second.
func rate(clients int, duration time.Duration, do func(key string) error) float64 {
	var done atomic.Int64
	var group sync.WaitGroup
	start := time.Now()
	for c := range clients {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := 0; time.Since(start) < duration; i++ {
				if err := do(fmt.Sprintf("key-%d", (c*7919+i)%10000)); err != nil {
					log.Fatal(err)
				}
				done.Add(1)
			}
		}()
	}
	group.Wait()
	return float64(done.Load()) / time.Since(start).Seconds()
}
