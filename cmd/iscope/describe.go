package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"iscope/probes"
)

func describeCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "describe TARGET/SUBJECT",
		Short: "everything known of one topic, group, service or method",
		Long: `describe prints all that a target knows of one subject: partitions, offsets,
members and lag of a topic or group, instances and checks of a service, the
contract and a fillable request of a method, the definition of a type. Without a
subject it describes the target itself.`,
		Example: `  iscope describe orders-kafka/orders.created
  iscope describe orders shop.orders.v1.Orders/GetOrder
  iscope describe orders shop.orders.v1.Order
  iscope describe shop-api 'GET /orders/{id}'`,
		Args: args(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error { return a.describe(cmd.Context(), args) },
	}
}

// description is the JSON of describe. The names of its fields are documented
// in README.md and do not change.
type description struct {
	Target  string      `json:"target"`
	Subject string      `json:"subject,omitempty"`
	Method  *methodText `json:"method,omitempty"`
	Claims  []claimText `json:"claims,omitempty"`
	Missing []string    `json:"missing,omitempty"`
	Driver  *driverText `json:"driver,omitempty"`
	Schema  string      `json:"schema,omitempty"` // of a type

	claims []probes.Claim
}

type methodText struct {
	entry
	Input    string          `json:"input,omitempty"`
	Output   string          `json:"output,omitempty"`
	Template json.RawMessage `json:"template,omitempty"`
	Schema   string          `json:"schema,omitempty"`
	Form     *probes.Form    `json:"form,omitempty"`
}

type driverText struct {
	Name   string   `json:"name"`
	Doc    string   `json:"doc"`
	Impact string   `json:"impact"`
	Can    []string `json:"can"`
}

func (a *app) describe(ctx context.Context, argv []string) error {
	return a.withTarget(ctx, argv[0], func(conn *probes.Conn, subject string) error {
		if len(argv) == 2 {
			subject = argv[1]
		}
		ctx, stop := context.WithTimeout(ctx, 2*conn.Target.RequestTimeout())
		defer stop()
		d := description{Target: conn.Target.Name, Subject: subject}
		var err, partial error
		if d.Method, err = a.describeMethod(ctx, conn, subject); err != nil {
			return err
		}
		if d.Method == nil {
			snap, err := discover(ctx, conn, probes.DiscoverQuery{Subject: subject, Detail: true})
			if subject != "" && (probes.KindOf(err) == probes.ErrNotFound || err == nil && !about(snap.Claims, subject)) {
				d.Schema = describeType(ctx, conn, subject)
			}
			if d.Schema != "" {
				return a.printDescription(&d)
			}
			if err != nil {
				return err
			}
			d.claims, d.Claims, d.Missing = snap.Claims, claimTexts(snap.Claims), snap.Missing
			partial = missing(conn, "describing", snap)
			if subject == "" {
				d.Driver = describeDriver(conn)
			}
		}
		if err := a.printDescription(&d); err != nil {
			return err
		}
		return partial
	})
}

// about tells whether something claimed has the name that was asked for.
func about(claims []probes.Claim, name string) bool {
	return slices.ContainsFunc(claims, func(c probes.Claim) bool { return c.Node != nil && (c.Node.Name == name || c.Node.ID == name) })
}

// describeType is the definition of a type that methods use, "" if subject is none.
func describeType(ctx context.Context, conn *probes.Conn, subject string) string {
	schemer, err := conn.Schemer()
	if err != nil {
		return ""
	}
	s, err := schemer.Schema(ctx, subject)
	if err != nil {
		return "" // the driver's first answer says more
	}
	return s.Text
}

func describeDriver(conn *probes.Conn) *driverText {
	t := &driverText{Name: conn.Driver.Name, Doc: conn.Driver.Doc, Impact: conn.Driver.Impact}
	for _, ability := range []string{"discover", "tail", "publish", "peek", "deadletter", "invoke", "form", "schema", "contract"} {
		if conn.Can(ability) {
			t.Can = append(t.Can, ability)
		}
	}
	return t
}

// describeMethod returns nil when the subject is no method.
func (a *app) describeMethod(ctx context.Context, conn *probes.Conn, subject string) (*methodText, error) {
	if subject == "" || !conn.Can("invoke") {
		return nil, nil
	}
	m, err := findMethod(ctx, conn, subject)
	if kind := probes.KindOf(err); kind == probes.ErrNotFound || kind == probes.ErrUsage {
		return nil, misspelt(ctx, conn, subject) // it may be a service, or a message
	}
	if err != nil {
		return nil, err
	}
	if m.Group == "" && m.Template == nil && m.Input == "" && m.Params == nil {
		return nil, misspelt(ctx, conn, subject)
	}
	t := &methodText{Input: m.Input, Output: m.Output, Template: m.Template, entry: entry{Target: conn.Target.Name,
		Kind: "method", Name: m.Name, Parent: m.Group, Effect: m.Effect.String(), Streams: streams(m), Doc: m.Doc, Params: m.Params}}
	if t.Form, err = a.form(ctx, conn, m.Name); err != nil {
		return t, err
	}
	schemer, err := conn.Schemer()
	if err != nil {
		return t, nil
	}
	for _, ref := range []string{m.Input, m.Output} {
		if ref == "" {
			continue
		}
		s, err := schemer.Schema(ctx, ref)
		if err != nil && !errors.Is(err, probes.ErrNotFound) {
			return t, err
		}
		if s.Text != "" && !strings.Contains(t.Schema, s.Text) {
			t.Schema += s.Text + "\n"
		}
	}
	return t, nil
}

// form is what may be filled into a method's document, for programs: people get
// the schema. nil where the driver does not know.
func (a *app) form(ctx context.Context, conn *probes.Conn, method string) (*probes.Form, error) {
	former, err := conn.Former()
	if err != nil || !a.json() {
		return nil, nil
	}
	f, err := former.Form(ctx, method)
	switch probes.KindOf(err) {
	case probes.ErrNotFound, probes.ErrUnsupported:
		return nil, nil
	}
	if err != nil || f.Root.Kind == probes.ShapeNone {
		return nil, err
	}
	return &f, nil
}

// misspelt is the error for a method that its service does not have, and nil
// for whatever else the subject may be: the driver is asked then.
func misspelt(ctx context.Context, conn *probes.Conn, subject string) error {
	service, method, ok := strings.Cut(subject, "/")
	if !ok || strings.Contains(service, " ") { // "GET /orders": HTTP has no services
		return nil
	}
	methods, err := conn.Methods(ctx)
	if err != nil {
		return nil // the driver says it better
	}
	var names []string
	for _, m := range methods {
		if name, ok := strings.CutPrefix(m.Name, service+"/"); ok {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return &probes.Error{Target: conn.Target.Name, Op: "describing " + subject, Kind: probes.ErrNotFound,
		Err: fmt.Errorf("there is no method %s in %s", method, service), Hint: probes.NearestHint(method, names)}
}

func (a *app) printDescription(d *description) error {
	if a.json() {
		return a.printJSON(d)
	}
	if d.Driver != nil {
		fmt.Fprintf(a.out, "%s: %s\n  %s\n  can: %s\n\n", d.Target, d.Driver.Name, d.Driver.Impact, strings.Join(d.Driver.Can, ", "))
	}
	if m := d.Method; m != nil {
		a.printMethod(m)
	}
	if d.Schema != "" {
		fmt.Fprintf(a.out, "%s\n", strings.TrimRight(block(d.Schema), "\n"))
	}
	for _, c := range d.claims {
		a.printClaim(&c)
	}
	return nil
}

func (a *app) printMethod(m *methodText) {
	fmt.Fprintf(a.out, "%s\n", line(m.Name))
	for _, row := range [][2]string{{"effect", m.Effect}, {"streams", m.Streams}, {"input", m.Input}, {"output", m.Output}, {"doc", m.Doc}} {
		if row[1] != "" {
			fmt.Fprintf(a.out, "  %-8s %s\n", row[0], line(row[1]))
		}
	}
	for _, p := range m.Params {
		required := ""
		if p.Required {
			required = "required"
		}
		fmt.Fprintf(a.out, "  -p %s (%s, %s) %s %s\n", line(p.Name), line(p.In), line(p.Type), required, line(p.Doc))
	}
	if m.Template != nil {
		fmt.Fprint(a.out, "\n-d ")
		writeBody(a.out, m.Template)
	}
	if m.Schema != "" {
		fmt.Fprintf(a.out, "\n%s\n", block(m.Schema))
	}
}

func (a *app) printClaim(c *probes.Claim) {
	if n := c.Node; n != nil {
		fmt.Fprintf(a.out, "%s %s  %s %s  %s\n", n.Kind, line(n.Name), line(n.Addr), healthWord(n.Health), line(n.Reason))
		for _, at := range n.Attrs {
			fmt.Fprintf(a.out, "    %s = %s\n", line(at.Name), line(at.Value))
		}
		return
	}
	e := c.Edge
	fmt.Fprintf(a.out, "%s %s → %s  %s\n", e.Kind, line(e.From), line(e.To), c.Class)
	for _, m := range e.Metrics {
		fmt.Fprintf(a.out, "    %s = %g %s\n", m.Name, m.Value, m.Unit)
	}
}
