package filter

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"iscope/probes"
)

// Limits of one filter.
const (
	maxSource = 4096 // bytes
	maxNodes  = 500  // of the syntax tree
	maxRegexp = 2000 // instructions of a compiled regular expression
)

// Decoder makes a JSON text of a body that is none: see inspectors.Decode. No
// text and no error means that the record has no body. It may block.
type Decoder func(ctx context.Context, r *probes.Record) (json []byte, err error)

// code is a compiled filter. It is immutable.
type code struct {
	source string
	root   cond
	slots  int
	body   *wanted // of the decoded body
	names  []string
}

// core is what filters of records and of rows share.
type core struct {
	code   *code
	decode Decoder
	pool   sync.Pool
	stats  counters
	names  []atomic.Uint32 // see state.note
}

// Filter chooses records. It is safe for concurrent use.
type Filter struct{ core }

// RowFilter chooses rows of lists. It is safe for concurrent use.
type RowFilter struct{ core }

// Compile makes a filter of records. The error is an *Error. An empty source
// lets everything through.
func Compile(source string) (*Filter, error) {
	c, err := compile(source, recordVocabulary())
	if err != nil {
		return nil, err
	}
	f := &Filter{}
	f.init(c, nil)
	return f, nil
}

// CompileRows makes a filter of rows: the same language with the names that
// rows have.
func CompileRows(source string) (*RowFilter, error) {
	c, err := compile(source, rowVocabulary())
	if err != nil {
		return nil, err
	}
	f := &RowFilter{}
	f.init(c, nil)
	return f, nil
}

func (f *core) init(c *code, d Decoder) {
	f.code, f.decode = c, d
	f.names = make([]atomic.Uint32, len(c.names))
	f.pool.New = func() any { return &state{slots: make([]value, c.slots)} }
}

// Decoding returns the same filter with a decoder for bodies that are no JSON,
// and with an account of its own.
func (f *Filter) Decoding(d Decoder) *Filter {
	g := &Filter{}
	g.init(f.code, d)
	return g
}

// String is the filter as it was given.
func (f *core) String() string { return f.code.source }

// Match reports whether the filter chooses a record. A record that cannot be
// judged is not chosen, and the error, a *Fault, says why. It blocks as long as
// the decoder does.
func (f *Filter) Match(ctx context.Context, r *probes.Record) (bool, error) {
	n := f.stats.judged.Add(1)
	return f.match(ctx, r, nil, sampled(n))
}

// sampled chooses records that are judged in full although their bytes rule
// them out: only so does it show that a name is never there, or that nothing
// can be read.
func sampled(n uint64) bool { return n <= 8 || n%512 == 0 }

// Match reports whether the filter chooses a row, as Filter.Match does.
func (f *RowFilter) Match(r *Row) (bool, error) {
	f.stats.judged.Add(1)
	return f.match(context.Background(), nil, r, true)
}

func (f *core) match(ctx context.Context, r *probes.Record, row *Row, sample bool) (bool, error) {
	st := f.pool.Get().(*state)
	defer f.done(st)
	st.ctx, st.rec, st.row, st.decode, st.names, st.code = ctx, r, row, f.decode, f.names, f.code
	st.sample, st.budget = sample, spend
	switch f.code.root.judge(st) {
	case yes:
		f.stats.matched.Add(1)
		return true, nil
	case no:
		return false, nil
	}
	fault := st.fault
	f.stats.failed(&fault, r, row)
	return false, &fault
}

func (f *core) done(st *state) {
	st.reset()
	f.pool.Put(st)
}

// compile makes code of a source.
func compile(source string, v *vocabulary) (*code, error) {
	fail := func(column int, message, hint string) error {
		return &Error{Source: source, Column: column, Message: message, Hint: hint}
	}
	if len(source) > maxSource {
		return nil, fail(1, "a filter has at most 4096 bytes", "")
	}
	if !utf8.ValidString(source) {
		return nil, fail(1, "the filter is not valid UTF-8", "")
	}
	b := &builder{source: source, vocabulary: v, code: &code{source: source, body: &wanted{slot: -1}}}
	text, offset := source, 0
	trimmed := strings.TrimSpace(source)
	var root cond
	var err error
	switch {
	case trimmed == "":
		root = fixed(true)
	case trimmed[0] == '=':
		offset = utf8.RuneCountInString(source[:strings.IndexByte(source, '=')]) + 1
		text = source[strings.IndexByte(source, '=')+1:]
		root, err = b.expression(text, offset)
	case isExpression(source, v):
		root, err = b.expression(text, offset)
	default:
		root, err = b.words(source)
	}
	if err != nil {
		return nil, err
	}
	b.code.root = plan(root)
	return b.code, nil
}
