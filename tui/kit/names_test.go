package kit

import "testing"

func TestNames(t *testing.T) {
	for _, c := range []struct {
		typed string
		want  bool
	}{{"", true}, {"ORDERS get", true}, {"get x", false}, {"日本", true}, {"tOrder", true}, {"getorderz", false}} {
		if got := NewNames(c.typed).Match("shop.Orders/GetOrder", "one order 日本"); got != c.want {
			t.Errorf("%q: %v", c.typed, got)
		}
	}
}

func TestPlace(t *testing.T) {
	var e Editor
	e.Set("日本\nab")
	e.PlaceAt(len("日本\na"))
	if r, c := e.Cursor(); r != 1 || c != 1 || e.Offset() != len("日本\na") {
		t.Error(r, c, e.Offset())
	}
	if e.Place(9, 9); e.Offset() != len("日本\nab") {
		t.Error(e.Offset())
	}
}
