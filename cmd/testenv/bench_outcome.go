package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// outcome is what a tool has delivered: how many records, and the sum of their
// hashes. A sum, so that the order does not count, which tools may choose, but a
// record that came twice does.
type outcome struct {
	count int
	sum   [4]uint64
}

// add adds a record, which is its parts with their borders.
func (o *outcome) add(parts ...[]byte) {
	h := sha256.New()
	for _, p := range parts {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(p))))
		h.Write(p)
	}
	var digest [sha256.Size]byte
	h.Sum(digest[:0])
	for i := range o.sum {
		o.sum[i] += binary.BigEndian.Uint64(digest[8*i:])
	}
	o.count++
}

// differs says how o is not what was wanted, or "".
func (o outcome) differs(want outcome) string {
	switch {
	case o.count != want.count:
		return fmt.Sprintf("%d records instead of %d", o.count, want.count)
	case o.sum != want.sum:
		return fmt.Sprintf("all %d records, but their content hash is %08x instead of %08x", o.count, o.sum[0]>>32, want.sum[0]>>32)
	}
	return ""
}

// reader turns a tool's output into an outcome.
type reader func(io.Reader) (outcome, error)

// eachLine calls do for every line, without its end.
func eachLine(r io.Reader, do func(line []byte) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), 16<<20)
	for lines.Scan() {
		if err := do(lines.Bytes()); err != nil {
			return err
		}
	}
	return lines.Err()
}

// readLines takes each line for a value.
func readLines(r io.Reader) (o outcome, err error) {
	err = eachLine(r, func(line []byte) error {
		o.add(line)
		return nil
	})
	return o, err
}

// iscopeRecord is a line of iscope -o json.
type iscopeRecord struct {
	Kind          string
	Error         string
	Key           *string
	KeyEncoding   string `json:"key_encoding"`
	Value         *string
	ValueEncoding string `json:"value_encoding"`
	Attributes    map[string]string
}

// isDeed reports a line that says what the tail does to its system.
func (m *iscopeRecord) isDeed() bool { return m.Kind == "notice" && m.Attributes["iscope.deed"] != "" }

// readIscope reads iscope's JSON lines: values, and keys if those are wanted.
func readIscope(keys bool) reader {
	return func(r io.Reader) (o outcome, err error) {
		err = eachLine(r, func(line []byte) error {
			var m iscopeRecord
			if err := json.Unmarshal(line, &m); err != nil {
				return err
			}
			if m.isDeed() {
				return nil
			}
			if m.Kind != "message" {
				return fmt.Errorf("a %s: %s", m.Kind, m.Error)
			}
			value, err := iscopeBytes(m.Value, m.ValueEncoding)
			if err != nil || !keys {
				o.add(value)
				return err
			}
			key, err := iscopeBytes(m.Key, m.KeyEncoding)
			o.add(key, value)
			return err
		})
		return o, err
	}
}

func iscopeBytes(text *string, encoding string) ([]byte, error) {
	switch {
	case text == nil:
		return nil, errors.New("a record without key or value")
	case encoding == "base64":
		return base64.StdEncoding.DecodeString(*text)
	}
	return []byte(*text), nil
}

// readDocuments reads JSON documents, one after the other, whatever their layout.
func readDocuments(r io.Reader) (o outcome, err error) {
	d := json.NewDecoder(r)
	d.UseNumber()
	for {
		var doc any
		if err := d.Decode(&doc); err == io.EOF {
			return o, nil
		} else if err != nil {
			return o, err
		}
		if err := o.addDocument(doc); err != nil {
			return o, err
		}
	}
}

// addDocument adds a document with its members in order.
func (o *outcome) addDocument(doc any) error {
	canonical, err := json.Marshal(doc)
	o.add(canonical)
	return err
}
