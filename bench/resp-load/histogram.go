package main

import (
	"math/bits"
	"time"
)

const (
	// Of the buckets of each power of two: a bucket is at most 1/64 wider than its values.
	subBits    = 6
	subBuckets = 1 << subBits
)

// histogram counts latencies in nanoseconds, to less than 2 %.
type histogram struct {
	buckets [(64 - subBits) * subBuckets]int64
	count   int64
	max     time.Duration
}

func (h *histogram) add(latency time.Duration) {
	h.buckets[bucketOf(uint64(max(0, latency)))]++
	h.count++
	h.max = max(h.max, latency)
}

// atMs gives the latency that such a share of all do not exceed.
func (h *histogram) atMs(share float64) float64 {
	left := int64(share * float64(h.count))
	for bucket, count := range h.buckets {
		left -= count
		if left < 0 {
			return float64(min(upperOf(bucket), uint64(h.max))/1000) / 1000
		}
	}
	return float64(h.max.Microseconds()) / 1000
}

// bucketOf is linear below 64 ns; above, 64 buckets for each power of two.
func bucketOf(nanos uint64) int {
	power := bits.Len64(nanos) - subBits - 1
	if power < 0 {
		return int(nanos)
	}
	return power*subBuckets + int(nanos>>power)
}

func upperOf(bucket int) uint64 {
	if bucket < subBuckets {
		return uint64(bucket)
	}
	power := bucket/subBuckets - 1
	return (uint64(bucket-power*subBuckets)+1)<<power - 1
}
