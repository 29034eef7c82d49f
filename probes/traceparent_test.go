package probes

import "testing"

func TestWithTrace(t *testing.T) {
	shared := make([]Field, 1, 4)
	shared[0] = Field{Name: "x", Value: []byte("1")}
	a, b := Invocation{Header: shared}, Invocation{Header: shared}
	first, second := a.WithTrace(), b.WithTrace()
	if len(first) != 32 || first == second {
		t.Fatalf("ids %q and %q", first, second)
	}
	if got := TraceID(string(a.Header[1].Value)); got != first {
		t.Errorf("the header says %q, want %q: another call wrote into it", got, first)
	}
	if again := a.WithTrace(); again != first || len(a.Header) != 2 {
		t.Errorf("a call that has a trace got another: %q, %v", again, a.Header)
	}
}

func TestTraceID(t *testing.T) {
	const id = "4bf92f3577b34da6a3ce929d0e0e4736"
	for in, want := range map[string]string{
		"00-" + id + "-00f067aa0ba902b7-01":                       id,
		" 00-" + id + "-00f067aa0ba902b7-01 ":                     id,
		"cc-" + id + "-00f067aa0ba902b7-01-x":                     id, // a later version may say more
		"00-" + id:                                                "",
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01": "",
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01": "",
		"": "",
	} {
		if got := TraceID(in); got != want {
			t.Errorf("TraceID(%q) = %q, want %q", in, got, want)
		}
	}
}
