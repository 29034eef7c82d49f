package probes

import (
	"slices"
	"strings"
)

// Nearest returns up to n candidates close to what was typed, closest first.
// It serves every "did you mean": topics, methods, targets, configuration keys.
func Nearest(typed string, candidates []string, n int) []string {
	type scored struct {
		name string
		dist int
	}
	low := strings.ToLower(typed)
	limit := max(2, len(typed)/3)
	var near []scored
	for _, c := range candidates {
		lc := strings.ToLower(c)
		d := editDistance(low, lc)
		// A fragment of the name is a better guess than its edit distance says.
		if len(low) >= 3 && (strings.Contains(lc, low) || strings.Contains(low, lc) && len(lc) >= 3) {
			d = min(d, limit)
		}
		if d <= limit {
			near = append(near, scored{c, d})
		}
	}
	slices.SortStableFunc(near, func(a, b scored) int { return a.dist - b.dist })
	out := make([]string, 0, n)
	for _, s := range near[:min(n, len(near))] {
		out = append(out, s.name)
	}
	return out
}

// NearestHint words Nearest for an Error's Hint: a "did you mean", or the first
// few of what there is, or that there is nothing.
func NearestHint(typed string, candidates []string) string {
	if near := Nearest(typed, candidates, 3); len(near) > 0 {
		return "did you mean " + strings.Join(near, ", ") + "?"
	}
	if len(candidates) == 0 {
		return "there are none"
	}
	sorted := slices.Sorted(slices.Values(candidates))
	const few = 8
	if len(sorted) > few {
		return "there are: " + strings.Join(sorted[:few], ", ") + ", …"
	}
	return "there are: " + strings.Join(sorted, ", ")
}

// editDistance is the Levenshtein distance in bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diag := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diag, row[j] = row[j], min(row[j]+1, row[j-1]+1, diag+cost)
		}
	}
	return row[len(b)]
}
