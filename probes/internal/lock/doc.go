// Package lock locks files between processes, so that what one of them left
// behind can be told from what another is still using.
package lock
