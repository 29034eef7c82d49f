// Package config reads the one file that says where things are: environments,
// the targets in them, how to reach those and how careful to be.
//
// The file is YAML and strict: what it does not know is an error with file,
// line, column and the nearest valid key, and all errors come at once. Secrets
// stand in it as references (${env:X}, ${file:path}, ${cmd:…}) that are resolved
// when a target is asked for, not before, and whose values never appear in an
// error or in Show.
//
// The shape of the file is a set of Go structs in shape.go. The decoder, the
// JSON Schema for editors, the reference page and Show are all driven by them,
// so that they cannot disagree.
package config
