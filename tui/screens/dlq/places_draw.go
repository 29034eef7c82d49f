package dlq

import (
	"fmt"
	"strings"
	"time"

	"iscope/inspectors/safe"
	"iscope/tui/kit"
	"iscope/tui/session"
	"iscope/tui/theme"
)

// placeDetail is how many rows the detail below the list has at the most.
const placeDetail = 7

func (d *screen) placesView(w, h int) string {
	p := &kit.Page{Theme: d.o.Theme, W: w}
	d.placesHead(p)
	if len(d.places.shown) == 0 {
		d.noPlaces(p)
		return kit.Lay(p.Rows, w, h)
	}
	d.troubles(p)
	below := d.placeRows(w)
	if h-len(p.Rows)-len(below) < 6 {
		below = nil
	}
	body := max(1, h-len(p.Rows)-len(below))
	rows := append(p.Rows, strings.Split(d.placeList(w, body), "\n")...)
	return kit.Lay(append(rows, below...), w, h)
}

func (d *screen) placesHead(p *kit.Page) {
	total, unknown := int64(0), 0
	for _, one := range d.places.shown {
		if one.Count < 0 {
			unknown++
			continue
		}
		total += one.Count
	}
	l := kit.NewLine(d.o.Theme, p.W).Say(theme.Heading, " DEAD LETTERS").
		Say(theme.Plain, fmt.Sprintf("  %d in %s", total, kit.Plural(len(d.places.shown), "place")))
	if unknown > 0 {
		l.Say(theme.Warn, fmt.Sprintf("  %d of unknown count", unknown))
	}
	if len(d.places.shown) > 0 {
		l.Say(theme.Dim, "   enter shows them")
	}
	p.Rows = append(p.Rows, l.String())
	p.Rows = append(p.Rows, d.places.filter.Head(d.o.Theme, d.places.sifted.String(), p.W)...)
	p.Rows = append(p.Rows, kit.Unjudged(d.o.Theme, d.places.sifted.Unjudged, d.places.sifted.Why, "places", p.W)...)
}

// promptRow is the destination that is being typed.
func (d *screen) promptRow(w int) string {
	l := kit.NewLine(d.o.Theme, w).Say(theme.Accent, " TO ")
	return d.prompt.Draw(l, max(8, w-6), true).String()
}

// troubles says who could not tell, or not all.
func (d *screen) troubles(p *kit.Page) {
	for _, name := range d.places.order {
		if a := d.places.by[name]; a.err != "" {
			p.Failure(a.err, a.hint)
		}
	}
}

func (d *screen) noPlaces(p *kit.Page) {
	p.Add(theme.Plain, "")
	if d.places.filter.Text != "" && d.places.sifted.All > 0 {
		p.Add(theme.Dim, "No place matches the filter. esc lifts it.")
		return
	}
	asking, waiting := 0, 0
	for _, a := range d.places.by {
		if a.asking {
			asking++
		}
	}
	for _, st := range d.s.States() {
		if st.Phase == session.Unasked || st.Phase == session.Asking {
			waiting++
		}
	}
	switch {
	case asking+waiting > 0:
		p.Add(theme.Plain, "Asking %s for dead letters %s", kit.Plural(asking+waiting, "target"), d.o.Theme.Glyph(theme.Ellipsis))
	case len(d.places.order) == 0:
		p.Add(theme.Plain, "No target of this environment knows dead letters.")
		p.Add(theme.Dim, "Kafka, RabbitMQ and SQS do. : dlq TARGET/SUBJECT shows one by its name.")
	default:
		p.Wrap(theme.Plain, "", "No dead letters: nothing is configured as such a place, named like one or has their marks.")
		p.Wrap(theme.Dim, "asked  ", strings.Join(d.places.order, ", "))
	}
	p.Add(theme.Plain, "")
	d.troubles(p)
}

func (d *screen) placeList(w, h int) string {
	th := d.o.Theme
	from, to := d.places.list.Window(len(d.places.shown), h-1)
	d.height = max(1, h-1)
	target, subject, origins := min(14, w/8), min(44, w*3/10), min(40, w/5)
	head := kit.NewLine(th, w).Say(theme.Plain, " ").Col(theme.Dim, safe.Const("TARGET"), target).Col(theme.Dim, safe.Const("SUBJECT"), subject).
		ColRight(theme.Dim, safe.Const("COUNT"), 7).ColRight(theme.Dim, safe.Const("OLDEST"), 6).Col(theme.Dim, safe.Const("ORIGINS"), origins)
	rows := []string{head.Say(theme.Dim, "BECAUSE").String()}
	for i := from; i < to; i++ {
		one := &d.places.shown[i]
		l := kit.NewLine(th, w).Say(theme.Plain, " ").Col(theme.Dim, safe.Line(one.ref.Target, target), target).
			Col(theme.Plain, safe.Line(one.Subject, subject), subject).ColRight(countStyle(one.Count), kit.Text(d.count(one.Count)), 7).
			ColRight(theme.Plain, kit.Text(d.age(one.Oldest)), 6).
			Col(theme.Plain, safe.Line(strings.Join(one.Origins, " "), origins), origins).Put(theme.Dim, safe.Line(one.Because, safe.Wide))
		if i == d.places.list.Cursor {
			rows = append(rows, l.Selected())
			continue
		}
		rows = append(rows, l.String())
	}
	return kit.Lay(rows, w, h)
}

func countStyle(n int64) theme.Style {
	if n > 0 {
		return theme.Warn
	}
	return theme.Dim
}

func (d *screen) count(n int64) string {
	if n < 0 {
		return d.o.Theme.Glyph(theme.Unknown)
	}
	return fmt.Sprint(n)
}

func (d *screen) age(at time.Time) string {
	if at.IsZero() {
		return d.o.Theme.Glyph(theme.Dash)
	}
	return kit.Age(d.o.Now().Sub(at))
}

// placeRows tells of the place under the cursor what the columns cut.
func (d *screen) placeRows(w int) []string {
	one, ok := d.places.current()
	if !ok {
		return nil
	}
	p := &kit.Page{Theme: d.o.Theme, W: w}
	p.Add(theme.Plain, "")
	p.Add(theme.Heading, "%s", one.ref.String())
	if len(one.Origins) > 0 {
		p.Wrap(theme.Plain, "origins  ", strings.Join(one.Origins, ", "))
	}
	p.Wrap(theme.Plain, "because  ", one.Because)
	if !one.Oldest.IsZero() {
		p.Add(theme.Plain, "oldest   %s", one.Oldest.UTC().Format(time.DateTime+"Z"))
	}
	return p.Rows[:min(len(p.Rows), placeDetail)]
}
