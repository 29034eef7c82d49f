package draw

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"iscope/probes"
	"iscope/probes/topology"
)

// graph makes one from "a>b" pairs; single names are nodes without edges.
func graph(pairs ...string) topology.Graph {
	var claims []probes.Claim
	node := func(name string) string {
		id := probes.NodeID(probes.NodeService, "t", name)
		claims = append(claims, probes.Claim{By: "t", Node: &probes.Node{ID: id, Kind: probes.NodeService, Name: name}})
		return id
	}
	for _, p := range pairs {
		from, to, ok := strings.Cut(p, ">")
		id := node(from)
		if ok {
			claims = append(claims, probes.Claim{By: "t", Edge: &probes.Edge{From: id, To: node(to), Kind: probes.EdgeCalls}})
		}
	}
	return topology.Build(claims, topology.BuildOptions{})
}

// tracer follows the lines of a picture by its glyphs alone: all it knows else
// is where the nodes are.
type tracer struct {
	t     *testing.T
	rows  [][]rune
	ends  map[[2]int]string // first cell of each node
	found map[string]bool
	from  string
}

type way int

const (
	north way = iota
	south
	west
	east
)

// opens lists the ways that each joint opens.
var opens = map[rune][]way{
	'╭': {south, east}, '╮': {south, west}, '╰': {north, east}, '╯': {north, west},
	'├': {north, south, east}, '┤': {north, south, west}, '┬': {south, west, east}, '┴': {north, west, east},
	'┼': {north, south, west, east},
}

func (tr *tracer) at(x, y int) rune {
	if y < 0 || y >= len(tr.rows) || x < 0 || x >= len(tr.rows[y]) {
		return ' '
	}
	return tr.rows[y][x]
}

// ways of a joint; in ASCII its surroundings tell.
func (tr *tracer) ways(x, y int) []way {
	r := tr.at(x, y)
	if r != '+' {
		return opens[r]
	}
	var out []way
	if strings.ContainsRune("|+", tr.at(x, y-1)) {
		out = append(out, north)
	}
	if strings.ContainsRune("|+", tr.at(x, y+1)) {
		out = append(out, south)
	}
	if strings.ContainsRune("->", tr.at(x+1, y)) {
		out = append(out, east)
	}
	return out
}

// follow goes on from a cell that was entered in a direction.
func (tr *tracer) follow(x, y int, dir way) {
	for {
		r := tr.at(x, y)
		ways := tr.ways(x, y)
		has := func(w way) bool { return slices.Contains(ways, w) }
		switch {
		case r == '▸' || r == '>':
			to, ok := tr.ends[[2]int{x + 1, y}]
			if !ok {
				tr.t.Fatalf("an arrow at %d,%d points at nothing", x, y)
			}
			tr.found[tr.from+">"+to] = true
			return
		case dir == east && len(ways) == 0 && strings.ContainsRune("─-│|", r): // straight on, or under a bus
		case dir != east && len(ways) == 0 && strings.ContainsRune("│|", r): // along the bus
		case len(ways) == 0:
			tr.t.Fatalf("the line from %s ends at %d,%d on %q", tr.from, x, y, r)
		case dir == east && has(east): // others join
		case dir == east: // our own bus
			if has(north) {
				tr.follow(x, y-1, north)
			}
			if has(south) {
				tr.follow(x, y+1, south)
			}
			return
		default: // a target of the bus, which may go on
			if !has(east) {
				tr.t.Fatalf("the bus of %s runs into %q at %d,%d", tr.from, r, x, y)
			}
			tr.follow(x+1, y, east)
			if !has(dir) {
				return
			}
		}
		switch dir {
		case north:
			y--
		case south:
			y++
		case east:
			x++
		}
	}
}

// traced reads the edges back from a picture of nodes with ASCII names.
func traced(t *testing.T, p Picture) []string {
	t.Helper()
	tr := &tracer{t: t, ends: map[[2]int]string{}, found: map[string]bool{}}
	for _, l := range p.Lines {
		tr.rows = append(tr.rows, []rune(l))
	}
	for _, r := range p.Nodes {
		tr.ends[[2]int{r.X, r.Y}] = r.ID[strings.LastIndex(r.ID, "/")+1:]
	}
	for _, r := range p.Nodes {
		if strings.ContainsRune("─-", tr.at(r.X+r.W, r.Y)) {
			tr.from = tr.ends[[2]int{r.X, r.Y}]
			tr.follow(r.X+r.W, r.Y, east)
		}
	}
	for _, e := range p.Back {
		tr.found[e.From[strings.LastIndex(e.From, "/")+1:]+">"+e.To[strings.LastIndex(e.To, "/")+1:]] = true
	}
	return slices.Sorted(maps.Keys(tr.found))
}

var shop = []string{"kong>web-bff", "kong>mobile-bff", "web-bff>catalog", "web-bff>cart", "web-bff>orders", "mobile-bff>catalog",
	"mobile-bff>cart", "mobile-bff>orders", "cart>catalog", "orders>payments", "orders>order.created", "orders>inventory", "payments>fraud",
	"fraud>orders", "order.created>shipping", "order.created>email", "shipping>inventory", "payments>email"}

func check(t *testing.T, pairs []string, o Options) Picture {
	t.Helper()
	p := Draw(graph(pairs...), o)
	if len(p.Lines) == 0 {
		t.Fatalf("not drawn: %s", p.Why)
	}
	want := slices.Compact(slices.Sorted(slices.Values(pairs)))
	if d := cmp.Diff(want, traced(t, p)); d != "" {
		t.Fatalf("edges and picture differ:\n%s\n%s", d, strings.Join(p.Lines, "\n"))
	}
	return p
}

func TestRoundTripOfTheShop(t *testing.T) {
	for _, ascii := range []bool{false, true} {
		p := check(t, shop, Options{ASCII: ascii})
		t.Log("\n" + strings.Join(p.Lines, "\n"))
		if len(p.Back) != 1 || p.Back[0].From != "service:t/fraud" {
			t.Errorf("back edges %v", p.Back)
		}
	}
}

func TestRoundTripOfRandomGraphs(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 7))
		n := 2 + r.IntN(14)
		density := 0.05 + 0.4*r.Float64()
		var pairs []string
		for i := range n {
			for k := i + 1; k < n; k++ {
				if r.Float64() < density {
					pairs = append(pairs, fmt.Sprintf("%c%d>%c%d", 'a'+i, i, 'a'+k, k))
				}
			}
		}
		if len(pairs) == 0 {
			continue
		}
		check(t, pairs, Options{ASCII: seed%2 == 1})
		if p := Draw(graph(pairs...), Options{MaxWidth: 60}); len(p.Lines) > 0 {
			check(t, pairs, Options{MaxWidth: 60}) // the narrow forms, too
		}
	}
}

// TestRoundTripWithCircles takes any edges, forth and back and to itself.
func TestRoundTripWithCircles(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 8))
		var pairs []string
		for range 1 + r.IntN(25) {
			pairs = append(pairs, fmt.Sprintf("n%d>n%d", r.IntN(12), r.IntN(12)))
		}
		check(t, pairs, Options{ASCII: seed%2 == 1})
	}
}
