package topo

import (
	"cmp"
	"fmt"
	"strings"

	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/probes/topology"
	"iscope/tui/kit"
	"iscope/tui/theme"
)

// page collects the rows of the detail.
type page struct {
	t    *screen
	w    int
	rows []string
}

// say adds a text, which may be from outside, over as many rows as it needs.
func (p *page) say(indent int, s theme.Style, text string) {
	for _, part := range kit.Wrap(text, p.w-indent-1) {
		p.rows = append(p.rows, kit.NewLine(p.t.o.Theme, p.w).Say(theme.Plain, strings.Repeat(" ", indent)).Put(s, safe.Line(part, safe.Wide)).String())
	}
}

func (p *page) head(title string) {
	p.rows = append(p.rows, kit.NewLine(p.t.o.Theme, p.w).String(), kit.NewLine(p.t.o.Theme, p.w).Say(theme.Heading, " "+title).String())
}

// detailPane is everything that is known of what is under the cursor.
func (t *screen) detailPane(w, h int) string {
	t.visible[onDetail] = true
	p := &page{t: t, w: w}
	if r, ok := t.current(); ok {
		t.describe(p, r.node)
	}
	t.detailRows, t.detailHeight = len(p.rows), h
	from, to := t.scroll.Window(len(p.rows), h)
	rows := p.rows[from:to]
	if to < len(p.rows) && len(rows) > 0 && h > 1 {
		text := " " + kit.Plural(len(p.rows)-to+1, "more row") + ": tab, then j"
		if t.pane == onDetail {
			text = " " + kit.Plural(len(p.rows)-to+1, "more row")
		}
		rows = append(rows[:len(rows)-1:len(rows)-1], kit.NewLine(t.o.Theme, w).Say(theme.Dim, text).String())
	}
	return kit.Lay(rows, w, h)
}

func (t *screen) describe(p *page, n *topology.Node) {
	glyph, style := kit.HealthSign(t.o.Theme, n.Health)
	title := safe.Line(t.m.name(n.ID), safe.Wide)
	l := kit.NewLine(t.o.Theme, p.w).Say(style, " "+glyph+" "+n.Health.String()+"  ")
	heading := theme.Heading
	if t.pane == onDetail {
		heading = theme.Reverse
	}
	l.Put(heading, title)
	if tags := title.Tags(true); tags.Width() > 0 {
		l.Say(theme.Plain, " ").Put(theme.Warn, tags)
	}
	p.rows = append(p.rows, l.String())
	p.say(1, theme.Dim, strings.TrimSpace(string(n.Kind)+"  "+n.Addr))
	if n.Reason != "" {
		p.say(1, style, n.Reason)
	}
	if n.Mentioned {
		p.say(1, theme.Warn, "only an edge mentions it: no source lists it")
	}
	if n.Stale {
		p.say(1, theme.Warn, "stale: every source that named it has failed since")
	}
	if n.Parent != "" {
		p.say(1, theme.Dim, "part of "+t.m.name(n.Parent))
	}
	if len(n.IDs) > 1 {
		p.say(1, theme.Dim, "known as "+strings.Join(n.IDs, ", "))
	}
	t.describeFindings(p, n)
	t.describeVerdicts(p, n)
	t.describeEdges(p, n)
	t.describeParts(p, n)
	t.describeAttrs(p, n)
	t.describeClaims(p, n.Claims)
}

func (t *screen) describeFindings(p *page, n *topology.Node) {
	list := t.m.about[n.ID]
	if len(list) == 0 {
		return
	}
	p.head("FINDINGS")
	for _, i := range list {
		f := &t.m.findings[i]
		glyph, style := severitySign(t.o.Theme, f.severity)
		p.say(2, style, glyph+" "+string(f.severity)+" "+f.kind+": "+f.text)
		for _, c := range f.claims {
			p.say(4, theme.Dim, "says "+c.By+" ("+c.Call+")")
		}
	}
}

func (t *screen) describeVerdicts(p *page, n *topology.Node) {
	p.head("VERDICTS")
	if len(n.Verdicts) == 0 {
		p.say(2, theme.Dim, "no source judges its health")
	}
	for _, v := range n.Verdicts {
		glyph, style := kit.HealthSign(t.o.Theme, v.Health)
		text := glyph + " " + v.Health.String() + " by " + v.By
		if v.Reason != "" {
			text += ": " + v.Reason
		}
		p.say(2, style, text)
	}
}

func (t *screen) describeEdges(p *page, n *topology.Node) {
	edges := sorted(t.m.edges[n.ID], n.ID)
	if len(edges) == 0 {
		return
	}
	p.head("EDGES")
	for _, e := range edges {
		other, out := far(e, n.ID)
		text := t.arrow(out) + " " + t.m.name(other) + "  " + strings.TrimSpace(string(e.Kind)+" "+e.Protocol) + "  " + e.Class.String()
		if e.Stale {
			text += "  stale"
		}
		p.say(2, t.edgeStyle(e), text)
		for _, m := range e.Metrics {
			p.say(6, theme.Plain, m.Name+" "+figure(m.Value)+" "+m.Unit+" ("+m.By+")")
		}
		if len(e.Metrics) == 0 {
			p.say(6, theme.Dim, "rate "+t.o.Theme.Glyph(theme.Dash)+"  lag "+t.o.Theme.Glyph(theme.Dash))
		}
		for _, a := range e.Attrs {
			p.say(6, theme.Dim, a.Name+" = "+a.Value+" ("+a.By+")")
		}
		for _, c := range e.Claims {
			t.claim(p, 6, c)
		}
	}
}

func (t *screen) describeParts(p *page, n *topology.Node) {
	if len(n.Parts) == 0 {
		return
	}
	p.head(fmt.Sprintf("PARTS %d", len(n.Parts)))
	for i, id := range n.Parts {
		if i == maxParts {
			p.say(2, theme.Dim, kit.Plural(len(n.Parts)-i, "more part"))
			return
		}
		part := t.m.byID[id]
		if part == nil {
			continue
		}
		glyph, style := kit.HealthSign(t.o.Theme, part.Health)
		p.say(2, style, strings.Join(strings.Fields(glyph+" "+string(part.Kind)+" "+part.Name+" "+part.Addr+" "+part.Reason), " "))
	}
}

func (t *screen) describeAttrs(p *page, n *topology.Node) {
	if len(n.Attrs) == 0 {
		return
	}
	p.head("ATTRIBUTES")
	for _, a := range n.Attrs {
		p.say(2, theme.Plain, a.Name+" = "+a.Value+" ("+a.By+")")
	}
}

func (t *screen) describeClaims(p *page, claims []topology.Basis) {
	p.head(fmt.Sprintf("CLAIMS %d", len(claims)))
	for _, c := range claims {
		t.claim(p, 2, c)
	}
}

// claim says who said so, how, how good that is, and as of when.
func (t *screen) claim(p *page, indent int, c topology.Basis) {
	text := c.By + "  " + c.Class.String() + "  by " + cmp.Or(c.Call, "an unnamed call")
	if c.AsOf != "" {
		text += "  as of " + c.AsOf
	}
	if !c.Seen.IsZero() {
		age, _ := t.age(c.Seen)
		text += "  seen " + c.Seen.UTC().Format("15:04:05Z") + " (" + age.String() + " ago)"
	}
	style := theme.Plain
	if c.Class < probes.Attached {
		style = theme.Dim
	}
	p.say(indent, style, text)
}
