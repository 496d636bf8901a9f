// Command http-load puts and gets keys over HTTP/1.1 in one loop per client, each on a connection of its own, and prints
// rate, latencies and CPU time as JSON. It writes and reads the bytes itself, so that it takes little of the cores that
// the nodes under load share with it.
//
//	http-load ENDPOINTS CLIENTS SECONDS PUT_PERCENT VALUE_BYTES KEYS [PATH_PREFIX [WINDOW_MS]]
//
// With SECONDS 0 it puts each key once, so that the gets of a later load find what they ask for. SIGTERM ends a load before
// its time. With WINDOW_MS it tells rate and latency of each such time as well, by when the answers came.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	clientsMax    = 4096
	secondsMax    = 600
	valueBytesMax = 1 << 20
	keysMax       = 10_000_000
	timeout       = 30 * time.Second
)

type options struct {
	endpoints  []string
	clients    int
	seconds    int
	putPercent int
	valueBytes int
	keys       int
	prefix     string
	window     time.Duration
}

type window struct {
	AtMs      int64   `json:"atMs"`
	PerSecond float64 `json:"perSecond"`
	P99Ms     float64 `json:"p99Ms"`
	Refused   int     `json:"refused"`
}

type result struct {
	PerSecond  float64        `json:"perSecond"`
	P50Ms      float64        `json:"p50Ms"`
	P99Ms      float64        `json:"p99Ms"`
	P999Ms     float64        `json:"p999Ms"`
	MaxMs      float64        `json:"maxMs"`
	Statuses   map[string]int `json:"statuses"`
	CPUSeconds float64        `json:"cpuSeconds"`
	Operations int            `json:"operations"`
	// By the wall clock, in milliseconds since 1970.
	StartedAtMs int64    `json:"startedAtMs"`
	Windows     []window `json:"windows,omitempty"`
}

var isEnded atomic.Bool

func main() {
	options := parse(os.Args[1:])
	loops := make([]loop, options.clients)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	go func() {
		<-signals
		isEnded.Store(true)
	}()
	start := time.Now()
	end := start.Add(time.Duration(options.seconds) * time.Second)
	var group sync.WaitGroup
	for c := range loops {
		group.Go(func() { loops[c].run(options, c, end) })
	}
	group.Wait()
	told := summary(loops, time.Since(start))
	told.StartedAtMs = start.UnixMilli()
	if options.window > 0 {
		told.Windows = windowsOf(loops, start, options.window)
	}
	if err := json.NewEncoder(os.Stdout).Encode(told); err != nil {
		log.Fatal(err)
	}
}

func parse(arguments []string) options {
	if len(arguments) < 6 {
		log.Fatal("usage: http-load ENDPOINTS CLIENTS SECONDS PUT_PERCENT VALUE_BYTES KEYS [PATH_PREFIX [WINDOW_MS]]")
	}
	parsed := options{
		endpoints:  strings.Split(arguments[0], ","),
		clients:    number(arguments[1], 1, clientsMax),
		seconds:    number(arguments[2], 0, secondsMax),
		putPercent: number(arguments[3], 0, 100),
		valueBytes: number(arguments[4], 0, valueBytesMax),
		keys:       number(arguments[5], 1, keysMax),
		prefix:     "/v1/kv/default/key-",
	}
	if len(arguments) > 6 {
		parsed.prefix = arguments[6]
	}
	if len(arguments) > 7 {
		parsed.window = time.Duration(number(arguments[7], 10, 60_000)) * time.Millisecond
	}
	return parsed
}

func number(text string, least, most int) int {
	value, err := strconv.Atoi(text)
	if err != nil || value < least || value > most {
		log.Fatalf("http-load: %q is not a whole number from %d to %d", text, least, most)
	}
	return value
}

type loop struct {
	latencies []time.Duration
	answers   []answer
	statuses  map[string]int
}

type answer struct {
	at        time.Time
	latency   time.Duration
	isRefused bool
}

// run stops at the first answer after the end. A broken connection or an answer that is no HTTP ends the whole load: figures
// of a load that failed half way mean nothing.
func (l *loop) run(options options, number int, end time.Time) {
	l.statuses = map[string]int{}
	endpoint := options.endpoints[number%len(options.endpoints)]
	connection, err := net.DialTimeout("tcp", endpoint, timeout)
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	reader := bufio.NewReaderSize(connection, 16_384)
	value := bytes.Repeat([]byte("x"), options.valueBytes)
	random := rand.New(rand.NewPCG(uint64(number), 1))
	request := make([]byte, 0, 512+len(value))
	for done := 0; ; done++ {
		start := time.Now()
		isPut, key := random.IntN(100) < options.putPercent, random.IntN(options.keys)
		if options.seconds == 0 {
			isPut, key = true, number+done*options.clients
		}
		if key >= options.keys || options.seconds > 0 && (!start.Before(end) || isEnded.Load()) {
			return
		}
		request = appendRequest(request[:0], options.prefix, isPut, key, value)
		if err := connection.SetDeadline(start.Add(timeout)); err != nil {
			log.Fatal(err)
		}
		if _, err := connection.Write(request); err != nil {
			log.Fatal(err)
		}
		status, err := readAnswer(reader)
		if err != nil {
			log.Fatal(err)
		}
		latency := time.Since(start)
		l.latencies = append(l.latencies, latency)
		if options.window > 0 {
			l.answers = append(l.answers, answer{start.Add(latency), latency, status >= "429"})
		}
		l.statuses[status]++
	}
}

func appendRequest(request []byte, prefix string, isPut bool, key int, value []byte) []byte {
	method := "GET "
	if isPut {
		method = "PUT "
	}
	request = append(request, method...)
	request = append(request, prefix...)
	request = strconv.AppendInt(request, int64(key), 10)
	request = append(request, " HTTP/1.1\r\nHost: load\r\n"...)
	if !isPut {
		return append(request, "\r\n"...)
	}
	request = append(request, "Content-Length: "...)
	request = strconv.AppendInt(request, int64(len(value)), 10)
	request = append(request, "\r\n\r\n"...)
	return append(request, value...)
}

// readAnswer gives the status of one answer whose body has a Content-Length, or none.
func readAnswer(reader *bufio.Reader) (string, error) {
	line, err := reader.ReadSlice('\n')
	if err != nil {
		return "", err
	}
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return "", fmt.Errorf("not an HTTP/1.1 answer: %q", line)
	}
	status := string(line[9:12])
	length := 0
	for {
		line, err := reader.ReadSlice('\n')
		if err != nil {
			return "", err
		}
		if len(line) <= 2 {
			break
		}
		if len(line) > 16 && bytes.EqualFold(line[:15], []byte("content-length:")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[15:]))); err != nil {
				return "", err
			}
		}
	}
	_, err = io.CopyN(io.Discard, reader, int64(length))
	return status, err
}

func summary(loops []loop, elapsed time.Duration) result {
	statuses := map[string]int{}
	var all []time.Duration
	for _, each := range loops {
		all = append(all, each.latencies...)
		for status, count := range each.statuses {
			statuses[status] += count
		}
	}
	slices.Sort(all)
	at := func(thousandths int) float64 {
		return float64(all[min(len(all)-1, len(all)*thousandths/1000)].Microseconds()) / 1000
	}
	return result{
		PerSecond:  float64(len(all)) / elapsed.Seconds(),
		P50Ms:      at(500),
		P99Ms:      at(990),
		P999Ms:     at(999),
		MaxMs:      at(1000),
		Statuses:   statuses,
		CPUSeconds: cpuSeconds(),
		Operations: len(all),
	}
}

func windowsOf(loops []loop, start time.Time, size time.Duration) []window {
	byWindow := map[int][]time.Duration{}
	refused := map[int]int{}
	last := 0
	for _, each := range loops {
		for _, answer := range each.answers {
			place := int(answer.at.Sub(start) / size)
			byWindow[place] = append(byWindow[place], answer.latency)
			if answer.isRefused {
				refused[place]++
			}
			last = max(last, place)
		}
	}
	windows := make([]window, 0, last+1)
	for place := range last + 1 {
		latencies := byWindow[place]
		slices.Sort(latencies)
		told := window{AtMs: int64(place) * size.Milliseconds(), Refused: refused[place]}
		if len(latencies) > 0 {
			told.PerSecond = float64(len(latencies)) / size.Seconds()
			told.P99Ms = float64(latencies[min(len(latencies)-1, len(latencies)*990/1000)].Microseconds()) / 1000
		}
		windows = append(windows, told)
	}
	return windows
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	seconds := func(time syscall.Timeval) float64 { return float64(time.Sec) + float64(time.Usec)/1e6 }
	return seconds(usage.Utime) + seconds(usage.Stime)
}
