package kafka

import (
	"bytes"
	"testing"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/metadata"
)

// TestLibrarySpeaksTheVersionsWeRead fails when the library's registry changes.
// decodeFetch reads versions 4 to 11 by hand; the library's types of the other
// APIs decide what a broker of which age must speak.
func TestLibrarySpeaksTheVersionsWeRead(t *testing.T) {
	for key, want := range map[protocol.ApiKey][2]int16{
		protocol.Produce: {0, 8}, protocol.Fetch: {0, 11}, protocol.ListOffsets: {1, 5}, protocol.Metadata: {0, 8}, protocol.OffsetFetch: {0, 5},
		protocol.DescribeGroups: {0, 5}, protocol.ListGroups: {0, 2}, protocol.SaslHandshake: {0, 1}, protocol.ApiVersions: {0, 2},
		protocol.DescribeConfigs: {0, 3}, protocol.SaslAuthenticate: {0, 1},
	} {
		if got := [2]int16{key.MinVersion(), key.MaxVersion()}; got != want {
			t.Errorf("%s: the library now speaks versions %d to %d, not %d to %d: read the new ones before going on",
				key, got[0], got[1], want[0], want[1])
		}
	}
}

// TestLibraryWritesWhatBrokersExpect pins the bytes of the requests that decide
// whether a tail is harmless and whether it reads committed records only.
func TestLibraryWritesWhatBrokersExpect(t *testing.T) {
	var b bytes.Buffer
	req := fetchRequest([]fetchPart{{part: part{"t", 3}, offset: 258, maxBytes: 7}})
	if err := protocol.WriteRequest(&b, 11, 5, "c", req); err != nil {
		t.Fatal(err)
	}
	want := "\x00\x00\x00\x51" + // length
		"\x00\x01\x00\x0b\x00\x00\x00\x05\x00\x01c" + // Fetch v11
		"\xff\xff\xff\xff\x00\x00\x03\xe8\x00\x00\x00\x01\x00\x80\x00\x00" + // no replica, 1 s, 1 byte, 8 MiB
		"\x01\x00\x00\x00\x00\xff\xff\xff\xff" + // committed, no session
		"\x00\x00\x00\x01\x00\x01t\x00\x00\x00\x01\x00\x00\x00\x03\xff\xff\xff\xff" +
		"\x00\x00\x00\x00\x00\x00\x01\x02\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x07" +
		"\x00\x00\x00\x00\x00\x00" // nothing forgotten, no rack
	if got := b.String(); got != want {
		t.Errorf("fetch\n%x, want\n%x", got, want)
	}
	b.Reset()
	if err := protocol.WriteRequest(&b, 4, 5, "c", &metadata.Request{TopicNames: []string{"t"}}); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), "\x00\x00\x00\x13\x00\x03\x00\x04\x00\x00\x00\x05\x00\x01c\x00\x00\x00\x01\x00\x01t\x00"; got != want {
		t.Errorf("metadata\n%x, want\n%x: the last byte would create topics", got, want)
	}
}
