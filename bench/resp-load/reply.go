package main

import (
	"bytes"
	"fmt"
	"strconv"
)

// reply is the part of an answer that a load looks at: the kind, the number of an integer or the length of a string, and the line.
type reply struct {
	kind   byte
	number int
	line   []byte
}

// nextReply takes one answer from the front of the bytes; used is 0 where it is not there in full.
func nextReply(from []byte) (told reply, used int, err error) {
	end := bytes.IndexByte(from, '\n')
	if end < 0 {
		return reply{}, 0, nil
	}
	if end < 2 || from[end-1] != '\r' {
		return reply{}, 0, fmt.Errorf("not an answer of RESP: %q", from[:min(len(from), 40)])
	}
	told = reply{kind: from[0], line: from[1 : end-1]}
	used = end + 1
	switch told.kind {
	case '+', '-':
		return told, used, nil
	case ':', '$':
		if told.number, err = strconv.Atoi(string(told.line)); err != nil {
			return told, 0, fmt.Errorf("not a number in an answer of RESP: %q", told.line)
		}
		if told.kind == '$' && told.number >= 0 {
			used += told.number + 2
		}
		if used > len(from) {
			return told, 0, nil
		}
		return told, used, nil
	default:
		return told, 0, fmt.Errorf("not an answer of RESP that a load expects: %q", from[:min(len(from), 40)])
	}
}

// what is sent on a connection, for which the answers come in order.
type request byte

const (
	isPut request = iota
	isGet
	isWait
	isPing
)

// isFine tells whether the answer is the one that the request must have.
func isFine(asked request, told reply, options *options) bool {
	switch asked {
	case isPut:
		return told.kind == '+' && string(told.line) == "OK"
	case isGet:
		return told.kind == '$' && told.number == options.valueBytes
	case isWait:
		return told.kind == ':' && told.number >= options.wait
	default:
		return told.kind == '+'
	}
}

// wrongAnswer names an answer that is not fine: the code of an error, or what came in place of the value.
func wrongAnswer(asked request, told reply) string {
	names := [...]string{isPut: "SET", isGet: "GET", isWait: "WAIT", isPing: "PING"}
	if told.kind == '-' {
		words := bytes.SplitN(told.line, []byte(" "), 3)
		return names[asked] + ": " + string(bytes.Join(words[:min(2, len(words))], []byte(" ")))
	}
	if asked == isGet && told.number < 0 {
		return "GET: no value"
	}
	return fmt.Sprintf("%s: %c%s", names[asked], told.kind, told.line)
}
