package filter

import "slices"

// Costs order conditions. They are classes, not measurements.
const (
	costField  = iota // a field of the record
	costLookup        // an attribute or header is looked for
	costRaw           // the bytes of the body are searched
	costRegexp
	costWords // the same without regard to case
	costBody  // the body is taken apart
	costList  // and its elements are asked
)

// costOf returns the class of the dearest part.
func costOf(c cond) int {
	switch c := c.(type) {
	case all:
		return dearest(c)
	case some:
		return dearest(c)
	case not:
		return costOf(c.cond)
	case *compare:
		return max(costOfTerm(c.a), costOfTerm(c.b))
	case *isTrue:
		return costOfTerm(c.t)
	case *search:
		return max(costOfTerm(c.a), costOfTerm(c.b))
	case *matches:
		return max(costRegexp, costOfTerm(c.a))
	case *isIn:
		return max(costOfTerm(c.a), costOfTerm(c.b))
	case *quant:
		return max(costList, costOf(c.c))
	case *word:
		return costWords
	}
	return costField
}

func dearest(list []cond) (cost int) {
	for _, c := range list {
		cost = max(cost, costOf(c))
	}
	return cost
}

func costOfTerm(t term) int {
	switch t := t.(type) {
	case *attr, *header:
		return costLookup
	case *known:
		if t.f.name == "raw" {
			return costRaw
		}
	case *inBody, *inElement:
		return costBody
	case *length:
		return costOfTerm(t.t)
	case *cased:
		return costOfTerm(t.t)
	case *asText:
		return costOfTerm(t.t)
	case *toNumber:
		return costOfTerm(t.t)
	case *arith:
		return max(costOfTerm(t.a), costOfTerm(t.b))
	case *judged:
		return costOf(t.c)
	case *counted:
		return costList
	}
	return costField
}

// plan puts cheap conditions first, and guards before those that take the body
// apart. Guards are not put below a negation: where a body is malformed, what
// follows a guard is unknown and the guard is false, which must stay the lesser
// of the two.
func plan(c cond) cond {
	switch c := c.(type) {
	case all:
		sorted := byCost(c)
		first := slices.IndexFunc(sorted, func(x cond) bool { return costOf(x) >= costBody })
		if first < 0 {
			return all(sorted)
		}
		n := needOf(all(sorted[first:]))
		for i := range sorted {
			if _, nested := sorted[i].(some); nested || n == nil {
				sorted[i] = plan(sorted[i])
			}
		}
		if n != nil {
			sorted = slices.Insert(sorted, first, cond(&guard{*n}))
		}
		return all(sorted)
	case some:
		sorted := byCost(c)
		for i := range sorted {
			sorted[i] = plan(sorted[i])
		}
		return some(sorted)
	case not:
		return c
	}
	if costOf(c) < costBody {
		return c
	}
	if n := needOf(c); n != nil {
		return all{&guard{*n}, c}
	}
	return c
}

func byCost(list []cond) []cond {
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(a, b cond) int { return costOf(a) - costOf(b) })
	return sorted
}
