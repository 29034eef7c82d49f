package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
)

// doctor says of each chosen server whether it can be started, and if not, what
// would help. It returns an error when something is missing, for scripts.
func (b *bed) doctor(w io.Writer) error {
	missing, disk := 0, 0
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, s := range b.chosen {
		state := "ready"
		if _, err := b.installed(s); err != nil {
			state = err.Error()
			missing++
			disk += s.disk
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", s.profile, s.name, s.version, state)
	}
	table.Flush()
	if missing == 0 {
		return nil
	}
	where := b.cache
	if _, err := os.Stat(where); err != nil {
		where = os.TempDir()
	}
	fmt.Fprintf(w, "\n%d missing; installing them takes up to %d MB of disk", missing, disk)
	if room, err := freeDisk(where); err == nil {
		fmt.Fprintf(w, ", %d MB are free", room)
		if room < disk {
			fmt.Fprint(w, ": not enough")
		}
	}
	fmt.Fprintln(w)
	return errors.New("not everything is here")
}
