package httplink

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func TestEventReader(t *testing.T) {
	for _, c := range []struct {
		name, stream string
		want         []string // data|event|id|cut|unsent
	}{
		{"plain", "data: a\n\ndata:b\n\n", []string{"a|||0|false", "b|||0|false"}},
		{"all fields", ": comment\nevent: x\nid: 7\ndata: a\nretry: 5\n\n", []string{"a|x|7|0|false"}},
		{"id stays", "id: 7\ndata: a\n\ndata: b\n\nid\ndata: c\n\n", []string{"a||7|0|false", "b||7|0|false", "c|||0|false"}},
		{"many lines", "data: a\ndata\ndata:  b\n\n", []string{"a\n\n b|||0|false"}},
		{"CRLF and CR", "data: a\r\ndata: b\r\n\r\ndata: c\r\rdata: d\r\n\r\n", []string{"a\nb|||0|false", "c|||0|false", "d|||0|false"}},
		{"byte order mark", "\ufeffdata: a\n\n", []string{"a|||0|false"}},
		{"empty data", "data\n\n", []string{"|||0|false"}},
		{"nothing to send", "event: x\n\n\n\nid: 1\n\n", nil},
		{"no last blank line", "data: a\n\ndata: b", []string{"a|||0|false", "b|||0|true"}},
		{"cut", "data: 123456789\ndata: x\n\n", []string{"12345678|||3|false"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, r := range []io.Reader{strings.NewReader(c.stream), iotest.OneByteReader(strings.NewReader(c.stream))} {
				var got []string
				er := NewEventReader(r, 8)
				for {
					ev, err := er.Next()
					if errors.Is(err, io.EOF) {
						break
					}
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, fmt.Sprintf("%s|%s|%s|%d|%v", ev.Data, ev.Name, ev.ID, ev.Cut, ev.Unsent))
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}
