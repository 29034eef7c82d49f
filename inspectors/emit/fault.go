package emit

// Fault is what is wrong with an encoded body, and where.
type Fault struct {
	Offset int // in bytes of what was decoded
	Reason string
	// Short says that more bytes might have made it right.
	Short bool
}

func (f *Fault) Error() string { return f.Reason }
