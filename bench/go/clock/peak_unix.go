//go:build unix

package main

import (
	"os"
	"runtime"
	"syscall"
)

// peak gives the most memory that a process had at a time, resident, in bytes.
func peak(state *os.ProcessState) float64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	switch runtime.GOOS {
	case "darwin", "ios":
		return float64(usage.Maxrss)
	}
	return float64(usage.Maxrss) * 1024
}
