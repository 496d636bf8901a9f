// go-redis against nodes of Kvorum: does what its first argument names, prints JSON of what came of it, and fails where something is wrong.
//
//	alone PORT PROTOCOL            values, pipelines, scans and refusals in one client
//	cluster PORT PREFIX COUNT      writes COUNT keys in cluster mode, and reads them at owners
//	replicas PORT PREFIX COUNT     reads them at replicas
//	load PORT PREFIX REFRESH_MS    writes in cluster mode until its input ends, then reads back what was acknowledged; 0: as go-redis comes
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	host     = "127.0.0.1"
	workers  = 4
	pause    = 2 * time.Millisecond
	patience = 10 * time.Second
)

var ctx = context.Background()

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func equal(actual, expected any) {
	if !reflect.DeepEqual(actual, expected) {
		panic(fmt.Sprintf("%#v is not %#v", actual, expected))
	}
}

func refused(word string, err error) {
	if err == nil || !strings.Contains(err.Error(), word) {
		panic(fmt.Sprintf("%v is no refusal with %s", err, word))
	}
}

func valueOf[T any](value T, err error) T {
	check(err)
	return value
}

func number(text string) int { return valueOf(strconv.Atoi(text)) }

func alone(port, protocol string) {
	client := redis.NewClient(&redis.Options{Addr: host + ":" + port, Protocol: number(protocol)})
	defer client.Close()
	equal(valueOf(client.Ping(ctx).Result()), "PONG")
	check(client.Set(ctx, "go:k", "v", 100*time.Second).Err())
	equal(valueOf(client.Get(ctx, "go:k").Result()), "v")
	equal(valueOf(client.TTL(ctx, "go:k").Result()), 100*time.Second)
	if err := client.Get(ctx, "go:none").Err(); !errors.Is(err, redis.Nil) {
		panic(fmt.Sprintf("what is not there was answered %v", err))
	}
	large := strings.Repeat("\x00\xff", 1<<19)
	check(client.Set(ctx, "go:large", large, 0).Err())
	equal(valueOf(client.Get(ctx, "go:large").Result()), large)
	equal(valueOf(client.GetRange(ctx, "go:large", -2, -1).Result()), "\x00\xff")
	manyKeys(client)
	check(client.MSet(ctx, "go:a", "1", "go:b", "2").Err())
	equal(valueOf(client.MGet(ctx, "go:a", "go:none", "go:b").Result()), []any{"1", nil, "2"})
	equal(valueOf(client.Exists(ctx, "go:a", "go:a", "go:none").Result()), int64(2))
	equal(valueOf(client.Del(ctx, "go:a", "go:b", "go:none").Result()), int64(2))
	version := valueOf(client.Do(ctx, "KV.SET", "go:v", "1", "W", "all").Text())
	equal(valueOf(client.Do(ctx, "KV.VERSION", "go:v").Text()), version)
	refused("NEEDS_LINEARIZABLE", client.Incr(ctx, "go:n").Err())
	refused("NEEDS_LINEARIZABLE", client.SetNX(ctx, "go:k", "w", 0).Err())
	_, err := client.TxPipelined(ctx, func(pipe redis.Pipeliner) error { return pipe.Set(ctx, "go:k", "w", 0).Err() })
	refused("NEEDS_LINEARIZABLE", err)
	refused("unknown command", client.LPush(ctx, "go:l", "v").Err())
	equal(valueOf(client.Get(ctx, "go:k").Result()), "v")
}

func manyKeys(client *redis.Client) {
	pipe := client.Pipeline()
	var expected []string
	for i := range 50 {
		key := fmt.Sprintf("go:m:%02d", i)
		expected = append(expected, key)
		pipe.Set(ctx, key, "v", 0)
	}
	valueOf(pipe.Exec(ctx))
	var found []string
	scan := client.Scan(ctx, 0, "go:m:*", 20).Iterator()
	for scan.Next(ctx) {
		found = append(found, scan.Val())
	}
	check(scan.Err())
	slices.Sort(found)
	equal(found, expected)
}

func open(port string, options redis.ClusterOptions) *redis.ClusterClient {
	options.Addrs = []string{host + ":" + port}
	return redis.NewClusterClient(&options)
}

func cluster(port, prefix, count string) map[string]any {
	client := open(port, redis.ClusterOptions{})
	defer client.Close()
	for i := range number(count) {
		key := prefix + strconv.Itoa(i)
		check(client.Set(ctx, key, i, 0).Err())
		equal(valueOf(client.Get(ctx, key).Result()), strconv.Itoa(i))
	}
	pipe := client.Pipeline()
	for i := range number(count) {
		pipe.Set(ctx, prefix+strconv.Itoa(i), "again", 0)
	}
	for _, each := range valueOf(pipe.Exec(ctx)) {
		check(each.Err())
	}
	refused("NEEDS_LINEARIZABLE", client.Incr(ctx, prefix+"n").Err())
	var lock sync.Mutex
	nodes := 0
	check(client.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
		lock.Lock()
		defer lock.Unlock()
		nodes++
		return node.Ping(ctx).Err()
	}))
	return map[string]any{"nodes": nodes}
}

func replicas(port, prefix, count string) {
	client := open(port, redis.ClusterOptions{ReadOnly: true})
	defer client.Close()
	for i := range number(count) {
		equal(valueOf(client.Get(ctx, prefix+strconv.Itoa(i)).Result()), "again")
	}
}

type worker struct {
	acknowledged, failed []string
}

// Each writes keys of its own, each once, so that what was acknowledged must be there.
func (each *worker) work(client *redis.ClusterClient, prefix string, over <-chan struct{}) {
	for i := 0; ; i++ {
		select {
		case <-over:
			return
		case <-time.After(pause):
		}
		key := prefix + strconv.Itoa(i)
		err := client.Set(ctx, key, "value of "+key, 0).Err()
		if err == nil {
			each.acknowledged = append(each.acknowledged, key)
			if i%2 == 0 {
				_, err = client.Get(ctx, key).Result()
			}
		}
		if err != nil {
			each.failed = append(each.failed, err.Error())
		}
	}
}

// A pool whose node was down goes on refusing for a second after it is back.
func readBack(client *redis.ClusterClient, key string) string {
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		value, err := client.Get(ctx, key).Result()
		if err == nil || errors.Is(err, redis.Nil) {
			return value
		}
		if time.Now().After(end) {
			panic(fmt.Sprintf("%s cannot be read: %v", key, err))
		}
	}
}

func load(port, prefix, refreshMs string) map[string]any {
	client := open(port, redis.ClusterOptions{ClusterStateReloadInterval: time.Duration(number(refreshMs)) * time.Millisecond})
	defer client.Close()
	over := make(chan struct{})
	all := make([]worker, workers)
	var running sync.WaitGroup
	for i := range all {
		running.Go(func() { all[i].work(client, fmt.Sprintf("%s%d:", prefix, i), over) })
	}
	valueOf(io.ReadAll(os.Stdin))
	close(over)
	running.Wait()
	acknowledged, failed, lost := 0, []string{}, []string{}
	for _, each := range all {
		acknowledged += len(each.acknowledged)
		failed = append(failed, each.failed...)
		for _, key := range each.acknowledged {
			value := readBack(client, key)
			if value != "value of "+key {
				lost = append(lost, fmt.Sprintf("%s: %q", key, value))
			}
		}
	}
	return map[string]any{"acknowledged": acknowledged, "errors": failed, "lost": lost}
}

func run(name string, args []string) map[string]any {
	switch name {
	case "alone":
		alone(args[0], args[1])
	case "cluster":
		return cluster(args[0], args[1], args[2])
	case "replicas":
		replicas(args[0], args[1], args[2])
	case "load":
		return load(args[0], args[1], args[2])
	default:
		panic("there is no action " + name)
	}
	return map[string]any{}
}

func main() {
	check(json.NewEncoder(os.Stdout).Encode(run(os.Args[1], os.Args[2:])))
}
