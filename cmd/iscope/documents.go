package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/charmbracelet/x/term"

	"iscope/probes"
)

// documents supplies the request documents: those given, or those on standard
// input one by one as they come.
func (a *app) documents(data []string) (func(context.Context) ([]byte, error), error) {
	if len(data) == 0 {
		return nil, nil
	}
	if len(data) == 1 && (data[0] == "-" || data[0] == "@-") {
		if term.IsTerminal(a.in.Fd()) {
			return a.typedDocuments(), nil
		}
		return streamDocuments(a.in), nil
	}
	var docs [][]byte
	for _, d := range data {
		doc, err := a.document(d)
		if err != nil {
			return nil, err
		}
		docs = append(docs, doc)
	}
	return func(context.Context) ([]byte, error) {
		if len(docs) == 0 {
			return nil, io.EOF
		}
		doc := docs[0]
		docs = docs[1:]
		return doc, nil
	}, nil
}

// streamDocuments reads JSON documents one after the other. An input without a
// single one is an error: sending an empty message in its place would hide a
// broken pipeline.
func streamDocuments(r io.Reader) func(context.Context) ([]byte, error) {
	dec := json.NewDecoder(r)
	n := 0
	return whileWaited(func() ([]byte, error) {
		var doc json.RawMessage
		err := dec.Decode(&doc)
		switch {
		case err == nil:
			n++
			return bytes.Clone(doc), nil
		case err == io.EOF && n > 0:
			return nil, io.EOF
		case err == io.EOF:
			err = errors.New("standard input is empty")
		}
		return nil, &probes.Error{Op: fmt.Sprintf("reading document %d from standard input", n+1), Kind: probes.ErrUsage,
			Err: err, Hint: "give -d '{}' to send an empty message"}
	})
}

// typedDocuments reads what a person types: a document may have several lines
// and is sent when it is complete. A mistake costs the document, not the call.
func (a *app) typedDocuments() func(context.Context) ([]byte, error) {
	var once sync.Once
	lines := bufio.NewReader(a.in)
	var begun []byte
	read := whileWaited(func() ([]byte, error) {
		for {
			text, err := lines.ReadBytes('\n')
			begun = append(begun, text...)
			doc, complete, fault := oneTyped(begun)
			switch {
			case fault != nil:
				a.warn("that is no JSON (%v): not sent, type it again", fault)
				begun = nil
			case complete:
				begun = nil
				return doc, nil
			}
			if err != nil {
				if len(bytes.TrimSpace(begun)) > 0 && err == io.EOF {
					a.warn("the document ends too early: not sent")
				}
				return nil, err
			}
		}
	})
	return func(ctx context.Context) ([]byte, error) {
		once.Do(func() { a.note("type JSON documents; ctrl-d ends the sending, ctrl-c the call") })
		return read(ctx)
	}
}

// oneTyped looks whether a text is a whole document, the beginning of one, or
// neither.
func oneTyped(text []byte) (doc []byte, complete bool, fault error) {
	trimmed := bytes.TrimSpace(text)
	if len(trimmed) == 0 {
		return nil, false, nil
	}
	if json.Valid(trimmed) {
		return bytes.Clone(trimmed), true, nil
	}
	var v any
	if fault = json.Unmarshal(trimmed, &v); strings.Contains(fault.Error(), "unexpected end") {
		return nil, false, nil
	}
	return nil, false, fault
}

// whileWaited makes a read that cannot be interrupted end with its context: it
// goes on behind the scenes, and what it brings is for the next who asks. One
// that nobody waits for any more ends with the process.
func whileWaited(read func() ([]byte, error)) func(context.Context) ([]byte, error) {
	type result struct {
		doc []byte
		err error
	}
	var pending chan result
	return func(ctx context.Context) ([]byte, error) {
		if pending == nil {
			c := make(chan result, 1)
			pending = c
			go func() {
				doc, err := read()
				c <- result{doc, err}
			}()
		}
		select {
		case r := <-pending:
			pending = nil
			return r.doc, r.err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
