package replay

// lane keeps the recorded order where the recording proves one: a step waits
// for those of its lane that were over before it began. Messages with one key
// go one by one; requests over one HTTP/2 connection overlap as they did.
type lane struct {
	active  []int32 // let through and not finished
	waiting []int32 // in order
}

// lanes holds back steps. Steps without a lane are free.
type lanes struct {
	steps []step
	byID  map[uint32]*lane
}

func newLanes(steps []step) *lanes { return &lanes{steps: steps, byID: map[uint32]*lane{}} }

// admit takes a step that is due, in the order of the plan, and reports whether
// it may go now.
func (l *lanes) admit(i int32) bool {
	id := l.steps[i].lane
	if id == 0 {
		return true
	}
	ln, ok := l.byID[id]
	if !ok {
		ln = &lane{}
		l.byID[id] = ln
	}
	if len(ln.waiting) > 0 || l.blocked(ln, i) {
		ln.waiting = append(ln.waiting, i)
		return false
	}
	ln.active = append(ln.active, i)
	return true
}

// blocked reports whether something unfinished was over before i began.
func (l *lanes) blocked(ln *lane, i int32) bool {
	for _, a := range ln.active {
		if l.steps[a].end <= l.steps[i].start {
			return true
		}
	}
	return false
}

// finish ends a step and appends to ready those that may go now. What blocks
// the first one waiting blocks all behind it: they began later.
func (l *lanes) finish(i int32, ready []int32) []int32 {
	id := l.steps[i].lane
	if id == 0 {
		return ready
	}
	ln := l.byID[id]
	for at, a := range ln.active {
		if a == i {
			ln.active = append(ln.active[:at], ln.active[at+1:]...)
			break
		}
	}
	for len(ln.waiting) > 0 && !l.blocked(ln, ln.waiting[0]) {
		next := ln.waiting[0]
		ln.waiting = ln.waiting[1:]
		ln.active = append(ln.active, next)
		ready = append(ready, next)
	}
	if len(ln.active) == 0 && len(ln.waiting) == 0 {
		delete(l.byID, id)
	}
	return ready
}
