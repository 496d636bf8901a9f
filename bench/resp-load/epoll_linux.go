package main

import (
	"syscall"
	"time"
	"unsafe"
)

// epollPwait2 is the call of Linux 5.11 that waits by nanoseconds: a load by the clock must not wake by whole milliseconds.
const epollPwait2 = 441

func epollWait(fd int, events []syscall.EpollEvent, patience time.Duration) (int, error) {
	timeout := syscall.NsecToTimespec(patience.Nanoseconds())
	count, _, errno := syscall.Syscall6(epollPwait2, uintptr(fd), uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), uintptr(unsafe.Pointer(&timeout)), 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(count), nil
}
