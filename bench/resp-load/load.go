package main

import (
	"bufio"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"strconv"
	"time"
)

// client is one closed loop.
type client struct {
	sockets []*socket
	// Answers that its batch still waits for.
	waiting int
	started time.Time
}

type load struct {
	options options
	poll    *poll
	clients []*client
	// The number of the endpoint of each key; empty where keys go to any.
	owners    []uint8
	sockets   int
	latencies histogram
	errors    map[string]int64
	random    *rand.Rand
	value     []byte
	end       time.Time
	begun     int
	underWay  int
	// Of a load by the clock: when its next request is due, and who has nothing to do.
	due  time.Time
	free []*client
}

func newLoad(options options) (*load, error) {
	l := &load{options: options, errors: map[string]int64{}, random: rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1)), value: make([]byte, options.valueBytes)}
	for i := range l.value {
		l.value[i] = 'x'
	}
	endpoints := options.endpoints
	if options.isToOwners {
		named, slots, err := ownerOfSlots(endpoints[0])
		if err != nil {
			return nil, err
		}
		endpoints = named
		l.owners = make([]uint8, options.keys)
		for key := range l.owners {
			l.owners[key] = slots[slotOf(options.keyPrefix+strconv.Itoa(key))]
		}
	}
	var err error
	if l.poll, err = newPoll(); err != nil {
		return nil, err
	}
	for number := range options.clients {
		to := endpoints[number%len(endpoints) : number%len(endpoints)+1]
		if options.isToOwners {
			to = endpoints
		}
		each := &client{}
		for _, endpoint := range to {
			opened, err := l.poll.open(endpoint, each, l.sockets)
			if err != nil {
				return nil, fmt.Errorf("connection %d: %w", l.sockets, err)
			}
			l.sockets++
			each.sockets = append(each.sockets, opened)
		}
		l.clients = append(l.clients, each)
	}
	return l, nil
}

// run ends when the time or the count is over and all answers are there; an answer that stays away is an error.
func (l *load) run(start time.Time) error {
	l.end = start.Add(time.Duration(l.options.seconds * float64(time.Second)))
	l.due = start
	for _, each := range l.clients {
		if err := l.next(each, start); err != nil {
			return err
		}
	}
	for l.underWay > 0 || l.isMoreDue() {
		if err := l.turn(); err != nil {
			return err
		}
	}
	return nil
}

// isMoreDue tells whether the clock will ask for another request before the end.
func (l *load) isMoreDue() bool {
	return l.options.rate > 0 && !l.isOver(l.due) && !l.isOver(time.Now())
}

func (l *load) turn() error {
	patience := stallMax
	if l.options.rate > 0 && len(l.free) > 0 && !l.isOver(l.due) {
		patience = max(0, time.Until(l.due))
	}
	ready, err := l.poll.wait(patience)
	if err != nil {
		return err
	}
	if len(ready) == 0 && patience == stallMax {
		return fmt.Errorf("no server has answered for %v, %d batches wait", stallMax, l.underWay)
	}
	for _, event := range ready {
		if err := l.serve(event); err != nil {
			return err
		}
	}
	return l.startDue()
}

func (l *load) serve(event readySocket) error {
	if event.canWrite {
		if err := event.socket.flush(l.poll); err != nil {
			return err
		}
	}
	if !event.canRead {
		return nil
	}
	received, err := event.socket.receive(l.poll.buffer)
	if err != nil || len(received) == 0 {
		return err
	}
	now := time.Now()
	used := 0
	for {
		told, bytes, err := nextReply(received[used:])
		if err != nil {
			return err
		}
		if bytes == 0 {
			break
		}
		used += bytes
		if err := l.answered(event.socket, told, now); err != nil {
			return err
		}
	}
	event.socket.keep(received[used:])
	return nil
}

func (l *load) answered(from *socket, told reply, now time.Time) error {
	asked, ok := from.asked.take()
	if !ok {
		return fmt.Errorf("an answer to nothing: %c%s", told.kind, told.line)
	}
	if !isFine(asked, told, &l.options) {
		l.errors[wrongAnswer(asked, told)]++
	} else if asked == isWait {
		for range from.unconfirmed {
			l.latencies.add(now.Sub(from.client.started))
		}
	} else if asked == isGet || asked == isPut && l.options.wait == 0 {
		l.latencies.add(now.Sub(from.client.started))
	} else if asked == isPut {
		from.unconfirmed++
	}
	if asked == isWait {
		from.unconfirmed = 0
	}
	from.client.waiting--
	if from.client.waiting > 0 {
		return nil
	}
	l.underWay--
	return l.next(from.client, now)
}

func (l *load) isOver(now time.Time) bool {
	if l.options.isFill {
		return l.begun >= l.options.keys
	}
	return !now.Before(l.end) || l.options.operations > 0 && l.begun >= l.options.operations
}

// next starts the batch of a client that has nothing under way; where the clock says when, it may have to wait for that.
func (l *load) next(of *client, now time.Time) error {
	if l.options.rate > 0 {
		l.free = append(l.free, of)
		return nil
	}
	if l.isOver(now) {
		return nil
	}
	return l.send(of, now)
}

// startDue gives the requests whose time has come to the clients that are free; latency counts from that time.
func (l *load) startDue() error {
	if l.options.rate == 0 {
		return nil
	}
	between := time.Duration(float64(time.Second) / l.options.rate)
	for now := time.Now(); len(l.free) > 0 && !l.due.After(now) && !l.isOver(now); {
		of := l.free[len(l.free)-1]
		l.free = l.free[:len(l.free)-1]
		if err := l.send(of, l.due); err != nil {
			return err
		}
		l.due = l.due.Add(between)
	}
	return nil
}

func (l *load) send(of *client, started time.Time) error {
	of.started = started
	l.underWay++
	for range l.options.depth {
		key, isPutWanted := l.random.IntN(l.options.keys), l.random.IntN(100) < l.options.putPercent
		if l.options.isFill {
			key, isPutWanted = l.begun, true
		}
		l.begun++
		if l.options.isFill && key >= l.options.keys {
			break
		}
		to := of.sockets[0]
		if len(l.owners) > 0 {
			to = of.sockets[l.owners[key]]
		}
		to.append(l, key, isPutWanted)
		of.waiting++
	}
	for _, each := range of.sockets {
		if each.puts > 0 && l.options.wait > 0 {
			each.appendWait(l.options.wait, l.options.waitMs)
			of.waiting++
		}
		each.puts = 0
		if len(each.out) > 0 {
			if err := each.flush(l.poll); err != nil {
				return err
			}
		}
	}
	return nil
}

// hold answers nothing but a PING on each socket, and keeps them all open.
func hold(l *load) {
	l.options.depth = 0
	for _, each := range l.clients {
		for _, socket := range each.sockets {
			socket.appendPing()
			each.waiting++
		}
		l.underWay++
		each.started = time.Now()
		for _, socket := range each.sockets {
			if err := socket.flush(l.poll); err != nil {
				log.Fatal(err)
			}
		}
	}
	for l.underWay > 0 {
		if err := l.turn(); err != nil {
			log.Fatal(err)
		}
	}
	if len(l.errors) > 0 {
		log.Fatalf("resp-load: a PING was answered %v", l.errors)
	}
	fmt.Printf("held %d\n", l.sockets)
	_, _ = bufio.NewReader(os.Stdin).ReadString(0)
}
