package schema

import (
	"context"
	"fmt"
	"time"

	"iscope/inspectors/protobuf"
	"iscope/probes"
)

// Described finds the schemas that a target itself describes, as gRPC's
// reflection does. Close it.
type Described struct {
	from  probes.Schemer
	cache *Cache
}

// How long what a target said holds, and its failure to say it.
const (
	describedFor   = 10 * time.Minute
	undescribedFor = 15 * time.Second
	describedMax   = 256
	describeWait   = 2 * time.Second
)

// Describe makes a finder of a target that describes its schemas.
func Describe(from probes.Schemer) *Described {
	return &Described{from: from, cache: NewCache(describedMax, time.Now)}
}

// Close ends requests and waits for them.
func (d *Described) Close() { d.cache.Close() }

// Find implements Finder for queries with a Ref. It blocks up to two seconds.
func (d *Described) Find(ctx context.Context, q Query) (Found, error) {
	if q.Ref == "" || q.Key || q.Framed() {
		return Found{}, ErrNone
	}
	return d.cache.Get(ctx, q.Ref, describeWait, 0, func(ctx context.Context) (Found, time.Duration, error) {
		ctx, cancel := context.WithTimeout(ctx, probes.DefaultTimeout)
		defer cancel()
		found, err := d.load(ctx, q.Ref)
		if err != nil {
			return Found{}, undescribedFor, err
		}
		return found, describedFor, nil
	})
}

func (d *Described) load(ctx context.Context, ref string) (Found, error) {
	described, err := d.from.Schema(ctx, ref)
	if err != nil {
		return Found{}, err
	}
	found := Found{From: "the target's description"}
	switch described.Type {
	case "protobuf":
		p, err := protobuf.FromSet(ctx, described.Data)
		if err != nil {
			return Found{}, err
		}
		md := p.Message(ref)
		if md == nil {
			return Found{}, fmt.Errorf("%s is no message of the description", ref)
		}
		found.Schema = &Schema{Type: Protobuf, Name: ref, proto: p, message: md}
	case "avro":
		found.Schema, err = Compile(ctx, Source{Type: Avro, Text: string(described.Data)})
	case "jsonschema":
		found.Schema, err = Compile(ctx, Source{Type: JSON, Text: string(described.Data)})
	default:
		return Found{}, ErrNone
	}
	return found, err
}
