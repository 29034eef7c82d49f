package grpcapi

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	"iscope/probes"
)

// Contract is one FileDescriptorSet of all services and what they import, and
// the services as .proto text. Services of gRPC itself are left out. Services
// whose descriptors cannot be had are left out too, and named in an
// ErrIncomplete that comes with the rest.
func (p *probe) Contract(ctx context.Context) (probes.Schema, error) {
	const op = "reading the contract"
	l, done, err := p.use(ctx, op)
	if err != nil {
		return probes.Schema{}, err
	}
	defer done()
	l.reflect.renew(ctx)
	all, err := l.services(ctx)
	if err != nil {
		return probes.Schema{}, err
	}
	names, _ := split(all)
	set := newFileSet()
	var text strings.Builder
	var missing []string
	for _, name := range names {
		sd, err := l.service(ctx, name)
		if err != nil && !notKnown(err) {
			return probes.Schema{}, l.schemaError(ctx, op, err)
		}
		if err != nil {
			missing = append(missing, string(name)+": "+cause(l.schemaError(ctx, op, err)))
			continue
		}
		set.add(sd.ParentFile())
		printed, err := source(sd)
		if err != nil {
			return probes.Schema{}, l.set.fail(op, probes.ErrProtocol, err)
		}
		fmt.Fprintf(&text, "// %s\n%s\n", name, printed)
	}
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(set.set)
	if err != nil {
		return probes.Schema{}, l.set.fail(op, probes.ErrProtocol, err)
	}
	s := probes.Schema{Ref: l.set.target.Name, Type: "protobuf", Text: text.String(), Data: data}
	if len(missing) > 0 {
		err = l.set.fail(op, probes.ErrIncomplete, hinted(fmt.Errorf("left out: %s", strings.Join(missing, "; ")),
			"name the missing files in the option "+optProto+" or "+optProtoset))
	}
	return s, err
}

// descriptorSet gathers files, dependencies first.
type descriptorSet struct {
	set  *descriptorpb.FileDescriptorSet
	seen map[string]bool
}

func newFileSet() *descriptorSet {
	return &descriptorSet{&descriptorpb.FileDescriptorSet{}, map[string]bool{}}
}
