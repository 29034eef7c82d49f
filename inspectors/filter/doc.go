// Package filter is the one language in which records and rows are chosen: by
// tails, captures, replays, screens and lists.
//
// A filter is either words or an expression. Which of the two is decided by how
// it looks, never by what would compile (see isExpression), so that a mistake
// in an expression is an error and not a search for odd words.
//
// The syntax of expressions is that of expr-lang/expr, whose parser is used.
// Checking and evaluating are done here, because the meaning differs where it
// matters for traffic:
//
//   - What is missing is nil, and a comparison with nil is false.
//   - Numbers are compared exactly: an int64 is never rounded to a float64.
//   - What cannot be judged (text > number, a body that is no document) is
//     neither true nor false. Such verdicts are combined as in Kleene's logic:
//     "false and unknown" is false, "true and unknown" is unknown. A record
//     whose verdict is unknown does not match, and is counted and reported.
//
// In that logic the order of evaluation changes no result. So conditions run
// from the cheapest to the dearest, and before a body is taken apart its bytes
// are searched for what every match has to contain (see need.go).
package filter
