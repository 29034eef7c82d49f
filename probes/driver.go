package probes

import (
	"context"
	"net/url"
	"slices"
)

// Driver is how a system joins iscope. Each driver package exports one as a
// variable-free function or value, and the command lists them explicitly.
type Driver struct {
	Name string // "kafka"; also the word in configuration files
	Doc  string // one paragraph: what it shows, which auth and options it takes
	// Impact says in one sentence what using it does to the system.
	Impact  string
	Schemes []Scheme
	Columns []Column // what a list of its records shows, most important first
	Options []Option
	// Open prepares a probe. It validates the target's options but need not
	// connect; Check does.
	Open func(ctx context.Context, t Target) (Probe, error)
	// URLSubject takes the subject (and anything else the URL says) out of a
	// target URL. nil: the path without its leading slash.
	URLSubject func(t *Target, u *url.URL) string
}

// Scheme is a URL scheme of a driver.
type Scheme struct {
	Name string
	TLS  bool
}

// Column is one column of a list of records.
type Column struct {
	Title string
	Attr  string // attribute name; "key", "size" and "summary" are built in
	Width int    // cells
	Right bool   // align right
}

// Option is one setting of a target that only this driver knows.
type Option struct {
	Name    string
	Type    string // "string", "bool", "int", "duration"
	Default string
	Doc     string
}

// FindDriver returns the driver of that name.
func FindDriver(drivers []Driver, name string) (Driver, bool) {
	i := slices.IndexFunc(drivers, func(d Driver) bool { return d.Name == name })
	if i < 0 {
		return Driver{}, false
	}
	return drivers[i], true
}
