package consul

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"iscope/probes"
)

// maxReason bounds the output of a check that is passed on, in bytes.
const maxReason = 300

// verdicts computes the health of every instance from the checks: those of the
// instance and those of the node it runs on.
type verdicts struct {
	ofInstance map[string][]check // by instance key
	ofNode     map[string][]check // by node
}

func newVerdicts(checks []check) verdicts {
	v := verdicts{ofInstance: map[string][]check{}, ofNode: map[string][]check{}}
	for _, c := range checks {
		if c.ServiceID == "" {
			v.ofNode[c.Node] = append(v.ofNode[c.Node], c)
			continue
		}
		key := c.Node + "/" + c.ServiceID
		v.ofInstance[key] = append(v.ofInstance[key], c)
	}
	return v
}

// checks lists what is checked about an instance.
func (v verdicts) checks(in *instance) []check {
	return append(v.ofInstance[in.key()][:len(v.ofInstance[in.key()]):len(v.ofInstance[in.key()])], v.ofNode[in.Node]...)
}

// instance is the worst of its checks, as in Consul's own lookups.
func (v verdicts) instance(in *instance) (probes.Health, string) {
	health, reason := probes.HealthUnknown, "no health check"
	for _, c := range v.checks(in) {
		if h := healthOf(c.Status); h > health {
			health, reason = h, c.reason()
		}
	}
	if health == probes.HealthOK {
		reason = ""
	}
	return health, reason
}

func healthOf(status string) probes.Health {
	switch status {
	case "passing":
		return probes.HealthOK
	case "warning":
		return probes.HealthWarn
	case "critical", "maintenance":
		return probes.HealthFail
	}
	return probes.HealthUnknown
}

// reason is the check's output in one line. Maintenance is a check of its own
// with the reason in Notes.
func (c *check) reason() string {
	if strings.HasPrefix(c.CheckID, "_service_maintenance") || c.CheckID == "_node_maintenance" {
		return cut(join("maintenance", c.Notes))
	}
	name := c.Name
	if name == "" {
		name = c.CheckID
	}
	if c.Output == "" {
		return cut(join(name, c.Status))
	}
	return cut(join(name, c.Output))
}

func join(a, b string) string {
	if b = strings.TrimSpace(b); b == "" {
		return a
	}
	return a + ": " + b
}

// cut shortens to maxReason bytes without splitting a character.
func cut(s string) string {
	if len(s) <= maxReason {
		return s
	}
	const mark = "…"
	end := maxReason - len(mark)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + mark
}

// service sums up its instances: ok or fail when all are, else a warning.
func (v verdicts) service(list []instance) (probes.Health, string) {
	var count [probes.HealthFail + 1]int
	worst, why := probes.HealthUnknown, ""
	for i := range list {
		h, reason := v.instance(&list[i])
		count[h]++
		if h > worst && h > probes.HealthOK {
			why = join(list[i].ID, reason)
		}
		worst = max(worst, h)
	}
	all := len(list)
	switch {
	case all == 0:
		return probes.HealthUnknown, "no instances"
	case worst <= probes.HealthOK:
		return worst, ""
	case count[probes.HealthFail] == all:
		return probes.HealthFail, cut(fmt.Sprintf("all %d instances; %s", all, why))
	}
	bad := count[probes.HealthFail] + count[probes.HealthWarn]
	return probes.HealthWarn, cut(fmt.Sprintf("%d of %d instances; %s", bad, all, why))
}
