package main

import (
	"bufio"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

const slotCount = 16_384

// ownerOfSlots asks a node which endpoint owns each slot; the addresses are those that the cluster tells its clients.
func ownerOfSlots(endpoint string) (endpoints []string, owners [slotCount]uint8, err error) {
	connection, err := net.DialTimeout("tcp", endpoint, stallMax)
	if err != nil {
		return nil, owners, err
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(stallMax)); err != nil {
		return nil, owners, err
	}
	if _, err := connection.Write([]byte("*2\r\n$7\r\nCLUSTER\r\n$5\r\nSLOTS\r\n")); err != nil {
		return nil, owners, err
	}
	answer, err := readAny(bufio.NewReader(connection))
	if err != nil {
		return nil, owners, err
	}
	ranges, _ := answer.([]any)
	numbers := map[string]uint8{}
	covered := 0
	for _, each := range ranges {
		first, last, address, err := slotRange(each)
		if err != nil {
			return nil, owners, err
		}
		number, isKnown := numbers[address]
		if !isKnown {
			number = uint8(len(endpoints))
			numbers[address] = number
			endpoints = append(endpoints, address)
		}
		for slot := first; slot <= last; slot++ {
			owners[slot] = number
			covered++
		}
	}
	if covered != slotCount {
		return nil, owners, fmt.Errorf("CLUSTER SLOTS of %s tells owners of %d of %d slots: %v", endpoint, covered, slotCount, answer)
	}
	return endpoints, owners, nil
}

func slotRange(told any) (first, last int, address string, err error) {
	fields, _ := told.([]any)
	if len(fields) < 3 {
		return 0, 0, "", fmt.Errorf("not a range of slots: %v", told)
	}
	node, _ := fields[2].([]any)
	first, isFirst := fields[0].(int)
	last, isLast := fields[1].(int)
	if !isFirst || !isLast || len(node) < 2 || last >= slotCount || first < 0 {
		return 0, 0, "", fmt.Errorf("not a range of slots: %v", told)
	}
	return first, last, fmt.Sprintf("%v:%v", node[0], node[1]), nil
}

func readAny(reader *bufio.Reader) (any, error) {
	line, err := reader.ReadString('\n')
	if err != nil {
		return nil, err
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return nil, fmt.Errorf("an empty line in an answer")
	}
	switch kind, rest := line[0], line[1:]; kind {
	case '+':
		return rest, nil
	case ':':
		return strconv.Atoi(rest)
	case '$':
		length, err := strconv.Atoi(rest)
		if err != nil || length < 0 {
			return nil, err
		}
		text := make([]byte, length+2)
		for read := 0; read < len(text); {
			n, err := reader.Read(text[read:])
			if err != nil {
				return nil, err
			}
			read += n
		}
		return string(text[:length]), nil
	case '*':
		count, err := strconv.Atoi(rest)
		if err != nil {
			return nil, err
		}
		items := make([]any, 0, max(0, count))
		for range count {
			item, err := readAny(reader)
			if err != nil {
				return nil, err
			}
			items = append(items, item)
		}
		return items, nil
	default:
		return nil, fmt.Errorf("the answer is %q", line)
	}
}

// slotOf is the CRC16 (XMODEM) of the key, modulo the slots; the keys of a load have no braces.
func slotOf(key string) int {
	crc := uint16(0)
	for i := range len(key) {
		crc ^= uint16(key[i]) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return int(crc % slotCount)
}
