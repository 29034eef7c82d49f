// Package httplink is what drivers of systems behind HTTP have in common: one
// connection pool to one server, its address and the credential it takes, how long
// things took, what a failure meant on the wire, bodies and event streams as they
// arrive, and the contract that the server gives, kept for a while.
//
// It follows no redirect, keeps no cookie, obeys no proxy variable and decodes
// nothing by itself: what is shown is what the server said.
package httplink
