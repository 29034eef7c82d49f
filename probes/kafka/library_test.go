package kafka

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/metadata"
)

// TestLibrarySpeaksTheVersionsWeRead fails when the library's registry changes.
// decodeFetch reads versions 4 to 11 by hand; the library's types of the other
// APIs decide what a broker of which age must speak.
func TestLibrarySpeaksTheVersionsWeRead(t *testing.T) {
	registerLogDirs()
	for key, want := range map[protocol.ApiKey][2]int16{
		protocol.Produce: {0, 8}, protocol.Fetch: {0, 11}, protocol.ListOffsets: {1, 5}, protocol.Metadata: {0, 8}, protocol.OffsetFetch: {0, 5},
		protocol.DescribeGroups: {0, 5}, protocol.ListGroups: {0, 2}, protocol.SaslHandshake: {0, 1}, protocol.ApiVersions: {0, 2},
		protocol.DescribeConfigs: {0, 3}, protocol.SaslAuthenticate: {0, 1}, protocol.DescribeLogDirs: {0, 1},
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
		"\xff\xff\xff\xff\x00\x00\x03\xe8\x00\x00\x00\x01\x00\x20\x00\x00" + // no replica, 1 s, 1 byte, 2 MiB
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

// TestLibraryTakesWhatWeRegister: DescribeLogDirs goes through the library's own
// encoder and decoder. Should an upgrade bring it along, or change how types are
// registered, this fails.
func TestLibraryTakesWhatWeRegister(t *testing.T) {
	registerLogDirs()
	var b bytes.Buffer
	req := &logDirsRequest{Topics: []logDirsTopic{{Topic: "t", Partitions: []int32{3}}}}
	if err := protocol.WriteRequest(&b, 1, 5, "c", req); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), "\x00\x00\x00\x1a\x00\x23\x00\x01\x00\x00\x00\x05\x00\x01c\x00\x00\x00\x01\x00\x01t\x00\x00\x00\x01\x00\x00\x00\x03"; got != want {
		t.Errorf("request\n%x, want\n%x", got, want)
	}
	answer := "\x00\x00\x00\x3f\x00\x00\x00\x05" + "\x00\x00\x00\x00" + // throttle time
		"\x00\x00\x00\x01\x00\x00\x00\x02/d" + "\x00\x00\x00\x01\x00\x01t" +
		"\x00\x00\x00\x01\x00\x00\x00\x03\x00\x00\x00\x00\x00\x01\x86\xa0\x00\x00\x00\x00\x00\x00\x00\x07\x00"
	answer = string([]byte{0, 0, 0, byte(len(answer) - 4)}) + answer[4:]
	_, res, err := protocol.ReadResponse(bytes.NewReader([]byte(answer)), protocol.DescribeLogDirs, 1)
	if err != nil {
		t.Fatal(err)
	}
	want := &logDirsResponse{Dirs: []logDir{{Dir: "/d", Topics: []logDirTopic{{Topic: "t", Partitions: []logDirPartition{{Partition: 3, Size: 100_000, OffsetLag: 7}}}}}}}
	if d := cmp.Diff(want, res); d != "" {
		t.Error(d)
	}
}

// metadataRecorded is what Apache Kafka 4.1.0 answered to a Metadata v10: one
// broker, one topic with one partition.
const metadataRecorded = "\x00\x00\x00\x00\x02\x00\x00\x00\x01\n127.0.0.1\x00\x00V\xe0\x00\x00\x17aXNjb3BlLXRlc3RlbnYtMQ\x00\x00\x00\x01\x02\x00\x00\vt-recorded\x94\xb8\xaaC\xa6\x94LV\x8b\xe1\xe1\xc1U\x00\xa0\xaa\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x02\x00\x00\x00\x01\x02\x00\x00\x00\x01\x01\x00\x80\x00\x00\x00\x00\x00\x00\x1f\xa0\x00"

// TestReadMetadata with the one version that is read here and not by the library.
func TestReadMetadata(t *testing.T) {
	c, err := readMetadata([]byte(metadataRecorded))
	if err != nil || c.id != "aXNjb3BlLXRlc3RlbnYtMQ" || len(c.brokers) != 1 || len(c.topics) != 1 || c.operations&mayAlter == 0 {
		t.Fatalf("%+v, %v", c, err)
	}
	name := c.topics[0].Name
	if len(c.topics[0].Partitions) != 1 || len(c.ids[name]) != 22 || c.topics[0].Partitions[0].LeaderID != 1 {
		t.Errorf("%+v, %v", c.topics, c.ids)
	}
	for i := range len(metadataRecorded) - 1 {
		if _, err := readMetadata([]byte(metadataRecorded[:i])); err == nil {
			t.Fatalf("the first %d bytes alone are no error", i)
		}
	}
	if got, want := string(metadataRequest([]string{"t"})), "\x02"+strings.Repeat("\x00", 16)+"\x02t\x00"+"\x00\x01\x00"; got != want {
		t.Errorf("request\n%x, want\n%x: the last but two would create topics", got, want)
	}
}

// FuzzReadAnswers: forged answers are errors, never panics.
func FuzzReadAnswers(f *testing.F) {
	f.Add([]byte(metadataRecorded))
	f.Add([]byte(recorded))
	f.Fuzz(func(t *testing.T, b []byte) {
		readMetadata(b)
		g := &group{id: "g"}
		readShare(b, []*group{g})
		readShareStarts(b, g)
		stampIn(b, 1)
	})
}
