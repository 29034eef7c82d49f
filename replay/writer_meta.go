package replay

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/foxglove/mcap/go/mcap"

	"iscope/probes"
)

// newWriter writes the head of the file: profile, schema, and what the capture
// is about.
func newWriter(path string, f *partFile, o WriterOptions) (*Writer, error) {
	if o.ChunkSize <= 0 {
		o.ChunkSize = defaultChunk
	}
	if o.FlushEvery <= 0 {
		o.FlushEvery = defaultFlush
	}
	id := make([]byte, 16)
	rand.Read(id) // never fails, see crypto/rand
	w := &Writer{path: path, opt: o, f: f, id: hex.EncodeToString(id), have: map[string]bool{},
		stats: Stats{Started: time.Now()}, armed: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
	w.chans = newChannels(w.id)
	var err error
	if w.chunk, err = newChunk(); err != nil {
		return nil, err
	}
	// Not Chunked: the library's own chunker flushes by size only.
	if w.mw, err = mcap.NewWriter(f, &mcap.WriterOptions{IncludeCRC: true}); err != nil {
		return nil, w.fail("starting the capture", err)
	}
	return w, w.head()
}

func (w *Writer) head() error {
	set, err := descriptorSet()
	if err != nil {
		return err
	}
	if err := w.mw.WriteHeader(&mcap.Header{Profile: profile, Library: "iscope/" + w.opt.Version}); err != nil {
		return w.fail("starting the capture", err)
	}
	schema := &mcap.Schema{ID: schemaID, Name: envelope, Encoding: msgEncoding, Data: set}
	if err := w.mw.WriteSchema(schema); err != nil {
		return w.fail("starting the capture", err)
	}
	return w.writeMetadata(metaCapture, map[string]string{"id": w.id, "version": w.opt.Version,
		"environment": w.opt.Environment.Name, "class": string(w.opt.Environment.Class),
		"redaction": w.opt.Redaction, "filter": w.opt.Filter, "started": formatTime(w.stats.Started)})
}

// AddTarget notes where records come from. Call it before the target's first
// record; a second call for the same name replaces what the first one said.
func (w *Writer) AddTarget(t TargetInfo) error {
	t.Address = bareAddress(t.Address)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.usable(); err != nil {
		return err
	}
	w.chans.drivers[t.Name] = t.Driver
	return w.writeMetadata(metaTarget, t.values())
}

// attachment is how a schema is stored.
type attachment struct {
	Target string `json:"target"`
	Ref    string `json:"ref"`
	Type   string `json:"type"`
	Text   string `json:"text,omitempty"`
	Data   []byte `json:"data,omitempty"` // base64
}

// AttachSchema stores a contract of a target, so that its records can be read
// without it. The same reference is stored once.
func (w *Writer) AttachSchema(target string, s probes.Schema) error {
	name := schemaPrefix + probes.Ref{Target: target, Subject: s.Ref}.String()
	data, err := json.Marshal(attachment{Target: target, Ref: s.Ref, Type: s.Type, Text: s.Text, Data: s.Data})
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.usable(); err != nil || w.have[name] {
		return err
	}
	w.have[name] = true
	now := uint64(time.Now().UnixNano())
	err = w.mw.WriteAttachment(&mcap.Attachment{LogTime: now, CreateTime: now, Name: utf8Only(name),
		MediaType: schemaMediaType, DataSize: uint64(len(data)), Data: bytes.NewReader(data)})
	if err == nil {
		err = w.f.flush(false)
	}
	if err != nil {
		return w.fail("attaching a schema", err)
	}
	return nil
}

// writeMetadata writes pairs with their checksum. The caller holds the lock.
func (w *Writer) writeMetadata(name string, m map[string]string) error {
	for k, v := range m {
		m[k] = utf8Only(v)
	}
	if err := w.mw.WriteMetadata(&mcap.Metadata{Name: name, Metadata: sealed(m)}); err != nil {
		return w.fail("writing the capture", err)
	}
	if err := w.f.flush(false); err != nil {
		return w.fail("writing the capture", err)
	}
	return nil
}
