package kafka

// frame is the memory of one answer. What was fetched aliases it until it has been
// decoded; then it takes another answer, so that a gigabyte read does not mean a
// gigabyte allocated and cleared. It belongs to the stream's goroutine.
type frame struct {
	buf  []byte
	refs int // record sets and batches not yet decoded
}

// keepFrame is the largest memory kept: an answer with one large message should
// not stay for the rest of the tail. Nor are more than keepFrames kept.
const (
	keepFrame  = 2 * allBytes
	keepFrames = 2
)

// hold notes another user.
func (f *frame) hold() {
	if f != nil {
		f.refs++
	}
}

// drop gives a frame back that a user is done with.
func (s *stream) drop(f *frame) {
	if f == nil {
		return
	}
	if f.refs--; f.refs > 0 {
		return
	}
	if cap(f.buf) <= keepFrame && len(s.spares) < keepFrames {
		s.spares = append(s.spares, f.buf)
	}
	f.buf = nil
}

// takeSpare returns memory for an answer; nil if there is none.
func (s *stream) takeSpare() []byte {
	n := len(s.spares)
	if n == 0 {
		return nil
	}
	b := s.spares[n-1]
	s.spares = s.spares[:n-1]
	return b
}
