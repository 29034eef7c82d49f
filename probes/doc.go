// Package probes is the vocabulary of iscope: what is observed (Record),
// what is known (Claim), what can be asked of a system (Probe and its optional
// abilities), and how it fails (Error).
//
// A system is one driver in one folder below this one. The rest of iscope
// (screens, capture files, replay, JSON output) sees only the types of this
// package and never asks which protocol is behind them.
//
// The package imports the standard library only and keeps no state.
package probes
