package replay

import (
	"fmt"

	"iscope/probes"
)

// Damage is one place of a capture file that could not be read.
type Damage struct {
	Offset int64 `json:"offset"` // in the file
	Bytes  int64 `json:"bytes"`  // not understood, from Offset on
	// Records is how many records are lost there: exact where a later chunk or
	// the summary tells, else -1.
	Records int64 `json:"records"`
	// What was there, as far as known: "chunk", "index", "metadata",
	// "attachment", "head", "summary", "end".
	What   string `json:"what"`
	Reason string `json:"reason"`
}

func (d Damage) String() string {
	lost := "no record lost"
	switch {
	case d.Records < 0:
		lost = "unknown number of records lost"
	case d.Records == 1:
		lost = "1 record lost"
	case d.Records > 1:
		lost = fmt.Sprintf("%d records lost", d.Records)
	}
	return fmt.Sprintf("%s at byte %d (%d bytes): %s, %s", d.What, d.Offset, d.Bytes, d.Reason, lost)
}

// incomplete turns damage into the error that ends Records; nil if there is
// none.
func incomplete(path string, ds []Damage) error {
	if len(ds) == 0 {
		return nil
	}
	err := fmt.Errorf("%s", ds[0])
	if len(ds) > 1 {
		err = fmt.Errorf("%d damaged places, the first: %s", len(ds), ds[0])
	}
	return &probes.Error{Target: path, Op: "reading the capture", Kind: probes.ErrIncomplete, Err: err,
		Hint: "all intact records were read; the rest cannot be recovered"}
}

// losses collects damage during a walk and finds out what each place cost: our
// writer numbers records throughout the file, so the next intact chunk tells
// exactly how many are missing before it.
type losses struct {
	list     []Damage
	pending  int    // places from this index on whose cost is open
	expected uint64 // number of the next record
}

func (l *losses) add(d Damage) { l.list = append(l.list, d) }

// chunkAt settles open places: the chunk's first record has this number (its
// low 32 bits) and holds this many.
func (l *losses) chunkAt(offset int64, first uint32, count uint64) {
	gap := uint64(first - uint32(l.expected))
	if gap > 1<<31 { // an older number: not our numbering
		gap = 0
	}
	if l.pending < len(l.list) {
		l.settle(int64(gap))
	} else if gap > 0 {
		l.add(Damage{Offset: offset, Records: int64(gap), What: "chunk", Reason: "records before it have been taken out"})
		l.pending = len(l.list)
	}
	l.expected += gap + count
}

// end settles open places by the file's own total, if that is known.
func (l *losses) end(total uint64, known bool) {
	if known && total >= l.expected && l.pending < len(l.list) {
		l.settle(int64(total - l.expected))
	}
	l.pending = len(l.list)
}

// settle gives the loss to the first open place that can have held records.
func (l *losses) settle(lost int64) {
	open := l.list[l.pending:]
	at := 0
	for i, d := range open {
		if d.What == "chunk" {
			at = i
			break
		}
	}
	for i := range open {
		if open[i].Records >= 0 { // already known, and part of the gap
			lost = max(0, lost-open[i].Records)
		}
	}
	for i := range open {
		if open[i].Records < 0 {
			open[i].Records = 0
		}
	}
	open[at].Records += lost
	l.pending = len(l.list)
}
