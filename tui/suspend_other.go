//go:build !unix

package tui

func noSuspend() string { return "this system has no job control" }
