package main

import (
	"fmt"
	"io"
	"net"
	"strconv"
	"syscall"
	"time"
)

const (
	eventsMax   = 1024
	bufferBytes = 1 << 20
	// Sockets from one address of loopback: below the ports that a kernel gives to outgoing connections.
	socketsPerAddress = 20_000
)

// poll waits for all sockets of a load.
type poll struct {
	fd      int
	sockets map[int32]*socket
	events  [eventsMax]syscall.EpollEvent
	ready   []readySocket
	buffer  []byte
}

type readySocket struct {
	socket            *socket
	canRead, canWrite bool
}

func newPoll() (*poll, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	return &poll{fd: fd, sockets: map[int32]*socket{}, buffer: make([]byte, bufferBytes)}, err
}

// open connects from 127.0.0.1, and from the next addresses of loopback where there are more sockets than it has ports.
func (p *poll) open(endpoint string, of *client, number int) (*socket, error) {
	address, err := net.ResolveTCPAddr("tcp4", endpoint)
	if err != nil {
		return nil, err
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if address.IP.IsLoopback() && number >= socketsPerAddress {
		from := &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, byte(1 + number/socketsPerAddress)}}
		if err := syscall.Bind(fd, from); err != nil {
			return nil, err
		}
	}
	to := &syscall.SockaddrInet4{Port: address.Port}
	copy(to.Addr[:], address.IP.To4())
	if err := syscall.Connect(fd, to); err != nil {
		return nil, fmt.Errorf("%s: %w", endpoint, err)
	}
	if err := syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1); err != nil {
		return nil, err
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		return nil, err
	}
	opened := &socket{fd: fd, client: of}
	p.sockets[int32(fd)] = opened
	return opened, syscall.EpollCtl(p.fd, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)})
}

func (p *poll) watchWrites(of *socket, isWanted bool) error {
	if of.isWatched == isWanted {
		return nil
	}
	of.isWatched = isWanted
	events := uint32(syscall.EPOLLIN)
	if isWanted {
		events |= syscall.EPOLLOUT
	}
	return syscall.EpollCtl(p.fd, syscall.EPOLL_CTL_MOD, of.fd, &syscall.EpollEvent{Events: events, Fd: int32(of.fd)})
}

// wait gives the sockets that can be read or written, none where the time is over; what it gives is valid until it is called again.
func (p *poll) wait(patience time.Duration) ([]readySocket, error) {
	p.ready = p.ready[:0]
	count, err := epollWait(p.fd, p.events[:], patience)
	if err == syscall.EINTR {
		return p.wait(patience)
	}
	if err != nil {
		return nil, err
	}
	for _, event := range p.events[:count] {
		p.ready = append(p.ready, readySocket{
			socket:   p.sockets[event.Fd],
			canRead:  event.Events&(syscall.EPOLLIN|syscall.EPOLLHUP|syscall.EPOLLERR) != 0,
			canWrite: event.Events&syscall.EPOLLOUT != 0,
		})
	}
	return p.ready, nil
}

// socket is one connection; its answers come in the order of its requests.
type socket struct {
	fd     int
	client *client
	out    []byte
	// The front of an answer whose rest is still to come.
	rest      []byte
	asked     requests
	isWatched bool
	// Puts of the batch that is being written, and puts answered that WAIT has not confirmed.
	puts, unconfirmed int
}

func (s *socket) flush(poll *poll) error {
	for len(s.out) > 0 {
		written, err := syscall.Write(s.fd, s.out)
		if err == syscall.EAGAIN {
			return poll.watchWrites(s, true)
		}
		if err != nil {
			return err
		}
		s.out = s.out[:copy(s.out, s.out[written:])]
	}
	return poll.watchWrites(s, false)
}

// receive gives what was kept and what has come since; empty where nothing has. The bytes may be those of the buffer.
func (s *socket) receive(buffer []byte) ([]byte, error) {
	kept := copy(buffer, s.rest)
	if kept == len(buffer) {
		return nil, fmt.Errorf("an answer of more than %d bytes", len(buffer))
	}
	read, err := syscall.Read(s.fd, buffer[kept:])
	if err == syscall.EAGAIN {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if read == 0 {
		return nil, fmt.Errorf("a server has closed its connection: %w", io.ErrUnexpectedEOF)
	}
	return buffer[:kept+read], nil
}

func (s *socket) keep(rest []byte) { s.rest = append(s.rest[:0], rest...) }

func (s *socket) append(l *load, key int, isPutWanted bool) {
	if !isPutWanted {
		s.out = append(s.out, "*2\r\n$3\r\nGET\r\n"...)
		s.out = appendKey(s.out, l.options.keyPrefix, key)
		s.asked.add(isGet)
		return
	}
	s.out = append(s.out, "*3\r\n$3\r\nSET\r\n"...)
	s.out = appendKey(s.out, l.options.keyPrefix, key)
	s.out = append(s.out, '$')
	s.out = strconv.AppendInt(s.out, int64(len(l.value)), 10)
	s.out = append(s.out, '\r', '\n')
	s.out = append(s.out, l.value...)
	s.out = append(s.out, '\r', '\n')
	s.asked.add(isPut)
	s.puts++
}

func (s *socket) appendWait(replicas, milliseconds int) {
	first, second := strconv.Itoa(replicas), strconv.Itoa(milliseconds)
	s.out = fmt.Appendf(s.out, "*3\r\n$4\r\nWAIT\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", len(first), first, len(second), second)
	s.asked.add(isWait)
}

func (s *socket) appendPing() {
	s.out = append(s.out, "*1\r\n$4\r\nPING\r\n"...)
	s.asked.add(isPing)
}

func appendKey(out []byte, prefix string, key int) []byte {
	digits := 1
	for rest := key; rest >= 10; rest /= 10 {
		digits++
	}
	out = append(out, '$')
	out = strconv.AppendInt(out, int64(len(prefix)+digits), 10)
	out = append(out, '\r', '\n')
	out = append(out, prefix...)
	out = strconv.AppendInt(out, int64(key), 10)
	return append(out, '\r', '\n')
}

// requests are those whose answers have not come, in order.
type requests struct {
	list []request
	next int
}

func (r *requests) add(one request) { r.list = append(r.list, one) }

func (r *requests) take() (request, bool) {
	if r.next == len(r.list) {
		return 0, false
	}
	taken := r.list[r.next]
	r.next++
	if r.next == len(r.list) {
		r.list, r.next = r.list[:0], 0
	}
	return taken, true
}
