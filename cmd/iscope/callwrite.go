package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"iscope/probes"
	"iscope/replay/request"
)

// print writes the call as a command line. It is masked by name; what was
// masked, and the target's own credentials, are variables to be set.
func (c *oneCall) print(ctx context.Context, style request.Style) error {
	if err := c.all(ctx); err != nil {
		return err
	}
	r := c.a.maskCall(c.written(), &c.method, byName)
	text, err := request.Command(style, &r, &c.method, &c.conn.Target)
	if err != nil {
		return err
	}
	for _, n := range text.Notes {
		c.a.warn("%s", n)
	}
	_, err = fmt.Fprintln(c.a.out, block(text.Text))
	return err
}

func (a *app) printTemplate(m probes.Method) error {
	if m.Template == nil {
		a.note("%s takes no document", m.Name)
		return nil
	}
	return a.printDocument(m.Template)
}

func (a *app) printDocument(doc []byte) error {
	var out bytes.Buffer
	if err := json.Indent(&out, doc, "", "  "); err != nil {
		return err
	}
	out.WriteByte('\n')
	_, err := a.out.Write(out.Bytes())
	return err
}

// save writes the call to a file that iscope run reads. What is a secret by its
// name becomes a variable that is read from the environment.
func (c *oneCall) save(ctx context.Context, path string) error {
	if err := c.all(ctx); err != nil {
		return err
	}
	r := c.a.maskCall(c.written(), &c.method, byName)
	if r.TLS != nil {
		c.a.warn("the TLS flags are not in the file: give them to iscope run, or configure the target")
	}
	secrets, err := request.Write(path, "", []request.Saved{{Name: c.method.Name, Request: r}})
	if err != nil {
		return err
	}
	for _, s := range secrets {
		c.a.warn("%s: its value is not in the file; it is read from the environment variable %s", s, strings.ToUpper(s))
	}
	c.a.note("written; make the call with: iscope run %s", request.Quote(path))
	return nil
}
