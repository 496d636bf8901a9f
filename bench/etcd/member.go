package main

import (
	"flag"
	"fmt"
	"log"
	"net/url"

	"go.etcd.io/etcd/server/v3/embed"
)

// member runs one member of a cluster until it is killed: durable as etcd is by itself (every write fsync'd), with a
// quiet log. It says "serving" once it listens; there may be no leader yet. A directory that holds a member goes on.
func member(arguments []string) {
	flags := flag.NewFlagSet("member", flag.ExitOnError)
	name := flags.String("name", "", "name of this member")
	directory := flags.String("dir", "", "data directory")
	clientPort := flags.Int("client-port", 0, "port for clients")
	peerPort := flags.Int("peer-port", 0, "port for the other members")
	cluster := flags.String("cluster", "", "all members: NAME=http://127.0.0.1:PEER_PORT, with commas between")
	electionMs := flags.Uint("election-ms", 1000, "election timeout")
	heartbeatMs := flags.Uint("heartbeat-ms", 100, "time between heartbeats")
	if err := flags.Parse(arguments); err != nil || *name == "" || *directory == "" || *cluster == "" {
		log.Fatal("member: --name, --dir, --client-port, --peer-port and --cluster are needed")
	}
	config := embed.NewConfig()
	config.Name = *name
	config.Dir = *directory
	config.LogLevel = "error"
	client, peer := loopback(*clientPort), loopback(*peerPort)
	config.ListenClientUrls, config.AdvertiseClientUrls = client, client
	config.ListenPeerUrls, config.AdvertisePeerUrls = peer, peer
	config.InitialCluster = *cluster
	config.TickMs = *heartbeatMs
	config.ElectionMs = *electionMs
	etcd, err := embed.StartEtcd(config)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("serving")
	log.Fatal(<-etcd.Err())
}

func loopback(port int) []url.URL {
	return []url.URL{{Scheme: "http", Host: fmt.Sprintf("127.0.0.1:%d", port)}}
}
