package replay

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"iscope/probes"
)

// Names of MCAP metadata records and attachments.
const (
	metaCapture = "iscope.capture"
	metaTarget  = "iscope.target"
	metaEnd     = "iscope.end"
	metaCRC     = "crc32" // MCAP gives metadata no checksum of its own

	schemaPrefix    = "schema/"
	schemaMediaType = "application/vnd.iscope.schema+json"
)

// TargetInfo is what a capture remembers of a target, so that years later it
// is clear where the traffic came from, and so that a replay can refuse to send
// it back there.
type TargetInfo struct {
	Name    string `json:"name"`
	Driver  string `json:"driver"`
	Address string `json:"address"` // without credentials
	// Identity is what the system calls itself, whatever its address: the
	// Kafka cluster id. "" if it has no such thing.
	Identity    string       `json:"identity,omitempty"`
	Environment string       `json:"environment,omitempty"`
	Class       probes.Class `json:"class,omitempty"`
}

// TargetOf describes an open target. It asks the target for its identity and
// blocks for that; an error means that it did not answer.
func TargetOf(ctx context.Context, c *probes.Conn) (TargetInfo, error) {
	t := TargetInfo{Name: c.Target.Name, Driver: c.Driver.Name, Address: bareAddress(c.Target.Address),
		Environment: c.Target.Environment.Name, Class: c.Target.Environment.Class}
	var err error
	t.Identity, err = identity(ctx, c)
	return t, err
}

// identity looks for the cluster id that a driver's broker nodes carry. A
// system without such nodes has none.
func identity(ctx context.Context, c *probes.Conn) (string, error) {
	if !c.Can("discover") {
		return "", nil
	}
	d, err := c.Discoverer()
	if err != nil {
		return "", err
	}
	for snap, err := range d.Discover(ctx, probes.DiscoverQuery{}) {
		if err != nil {
			return "", err
		}
		for _, claim := range snap.Claims {
			if claim.Node == nil || claim.Node.Kind != probes.NodeBroker {
				continue
			}
			if id, ok := probes.FindAttr(claim.Node.Attrs, probes.AttrClusterID); ok && id != "" {
				return id, nil
			}
		}
	}
	return "", ctx.Err()
}

// bareAddress takes credentials out of an address: it goes into a file that
// people hand around.
func bareAddress(addr string) string {
	parts := strings.Split(addr, ",")
	for i, p := range parts {
		if u, err := url.Parse(p); err == nil && u.Host != "" {
			u.User, u.RawQuery, u.Fragment = nil, "", ""
			parts[i] = u.String()
		} else if at := strings.LastIndexByte(p, '@'); at >= 0 {
			parts[i] = p[at+1:]
		}
	}
	return strings.Join(parts, ",")
}

func (t *TargetInfo) values() map[string]string {
	return map[string]string{"name": t.Name, "driver": t.Driver, "address": t.Address, "identity": t.Identity,
		"environment": t.Environment, "class": string(t.Class)}
}

func targetFrom(m map[string]string) TargetInfo {
	return TargetInfo{Name: m["name"], Driver: m["driver"], Address: m["address"], Identity: m["identity"],
		Environment: m["environment"], Class: probes.Class(m["class"])}
}

// sealed adds a checksum over all pairs.
func sealed(m map[string]string) map[string]string {
	m[metaCRC] = pairsCRC(m)
	return m
}

// intact reports whether the pairs are those that were sealed.
func intact(m map[string]string) bool { return m[metaCRC] == pairsCRC(m) }

func pairsCRC(m map[string]string) string {
	h := crc32.NewIEEE()
	var size [4]byte
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if k == metaCRC {
			continue
		}
		for _, s := range []string{k, m[k]} {
			binary.LittleEndian.PutUint32(size[:], uint32(len(s)))
			h.Write(size[:])
			h.Write([]byte(s))
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

func formatTime(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func parseTime(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}
	}
	return t
}
