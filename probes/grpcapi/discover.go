package grpcapi

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"iscope/probes"
)

// Calls by which claims are known, for Claim.Call.
const (
	byReflection = "grpc.reflection/ServerReflectionInfo list_services"
	byHealth     = "grpc.health.v1.Health/Check"
)

// Attributes of nodes that no convention names.
const (
	attrMethods  = "iscope.grpc.methods"        // how many
	attrInternal = "iscope.grpc.infrastructure" // services left out of the picture
	attrMissing  = "iscope.grpc.missing_import" // a file that is not served and could be done without
)

// Discover claims one node for the target and one for each service it offers,
// with their health. Services of gRPC itself (reflection, health, channelz)
// are named in an attribute of the target's node instead; what channelz says of
// calls and sockets is there too, in detail.
func (p *probe) Discover(ctx context.Context, q probes.DiscoverQuery) iter.Seq2[probes.Snapshot, error] {
	return func(yield func(probes.Snapshot, error) bool) {
		if err := p.discover(ctx, q, yield); err != nil {
			yield(probes.Snapshot{}, err)
		}
	}
}

// discover yields snapshots until it fails or has nothing more to say.
func (p *probe) discover(ctx context.Context, q probes.DiscoverQuery, yield func(probes.Snapshot, error) bool) error {
	var last probes.Snapshot
	for {
		s, err := p.survey(ctx, q)
		if err != nil {
			return err
		}
		if !same(last, s) {
			if !yield(s, nil) {
				return nil
			}
			last = s
		}
		if !q.Watch {
			return nil
		}
		if err := p.awaitChange(ctx, s); err != nil {
			return err
		}
	}
}

// survey is one round of questions.
func (p *probe) survey(ctx context.Context, q probes.DiscoverQuery) (probes.Snapshot, error) {
	l, done, err := p.use(ctx, "listing services")
	if err != nil {
		return probes.Snapshot{}, err
	}
	defer done()
	l.reflect.renew(ctx)
	s := surveyor{link: l, query: q, snapshot: probes.Snapshot{Complete: true}}
	if err := s.run(ctx); err != nil {
		return probes.Snapshot{}, err
	}
	return s.snapshot, nil
}

type surveyor struct {
	link     *link
	query    probes.DiscoverQuery
	snapshot probes.Snapshot
	whole    verdict // of the whole server
}

func (s *surveyor) run(ctx context.Context) error {
	names, err := s.link.services(ctx)
	if errors.Is(err, probes.ErrUnsupported) && s.query.Subject == "" {
		s.miss("services: " + cause(err) + "; " + probes.HintOf(err))
	} else if err != nil {
		return err
	}
	if src := s.link.set.sources; src != nil {
		if s.link.reflect.isOff(ctx) {
			s.miss("services: the server has no reflection; they are those of " + src.String())
		}
		for _, note := range src.notes {
			s.miss("sources: " + note)
		}
	}
	names, internal := split(names)
	if names, err = s.narrow(names, internal); err != nil {
		return err
	}
	if err := s.target(ctx, internal); err != nil {
		return err
	}
	for _, name := range names {
		if err := s.service(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

func (s *surveyor) miss(what string) {
	s.snapshot.Complete = false
	s.snapshot.Missing = append(s.snapshot.Missing, what)
}

// cause is an error's text without target and operation, which a snapshot's
// reader knows.
func cause(err error) string {
	var e *probes.Error
	if errors.As(err, &e) && e.Err != nil {
		return e.Err.Error()
	}
	return err.Error()
}

// split sets the services of gRPC itself apart.
func split(all []protoreflect.FullName) (names, internal []protoreflect.FullName) {
	for _, n := range all {
		if s := string(n); strings.HasPrefix(s, "grpc.reflection.") || strings.HasPrefix(s, "grpc.health.") || strings.HasPrefix(s, "grpc.channelz.") {
			internal = append(internal, n)
		} else {
			names = append(names, n)
		}
	}
	return names, internal
}

// narrow applies the query's subject: a service, or a method of it.
func (s *surveyor) narrow(names, internal []protoreflect.FullName) ([]protoreflect.FullName, error) {
	if s.query.Subject == "" {
		return names, nil
	}
	want, _, _ := strings.Cut(strings.TrimPrefix(s.query.Subject, "/"), "/")
	if want == s.link.set.target.Name {
		return nil, nil
	}
	all := slices.Concat(names, internal)
	var list []string
	for _, n := range all {
		if string(n) == want {
			return []protoreflect.FullName{n}, nil
		}
		list = append(list, string(n))
	}
	return nil, s.link.set.fail("listing services", probes.ErrNotFound,
		hinted(fmt.Errorf("there is no service %s", want), probes.NearestHint(want, list)))
}

func (s *surveyor) target(ctx context.Context, internal []protoreflect.FullName) error {
	set, f := s.link.set, s.link.facts()
	h, err := s.link.health(ctx, "")
	if err != nil {
		return err
	}
	s.whole = h
	n := &probes.Node{
		ID: targetID(set.target.Name), Kind: probes.NodeService, Name: set.target.Name,
		Addr: set.addr.String(), Health: h.verdict, Reason: h.reason,
		Aliases: slices.Clone(set.target.Aliases),
		Attrs:   []probes.Attr{protocolAttr(s.link.protocol)},
	}
	for _, a := range set.addrs {
		n.Aliases = append(n.Aliases, probes.AddrAlias(a.String()))
	}
	if f.peer != "" && f.peer != set.addr.String() && set.addr.network == "tcp" {
		n.Aliases = append(n.Aliases, probes.AddrAlias(f.peer))
	}
	if v := f.tlsName(); v != "" {
		n.Attrs = append(n.Attrs, probes.Attr{Name: probes.AttrTLSVersion, Value: v})
	}
	if len(internal) > 0 {
		n.Attrs = append(n.Attrs, probes.Attr{Name: attrInternal, Value: join(internal)})
	}
	s.channelz(ctx, n, internal)
	s.claim(n, byHealth)
	return nil
}

func (s *surveyor) service(ctx context.Context, name protoreflect.FullName) error {
	h, err := s.whole, error(nil)
	if h.served {
		h, err = s.link.health(ctx, string(name))
	}
	if err != nil {
		return err
	}
	t := s.link.set.target.Name
	n := &probes.Node{
		ID: serviceID(t, string(name)), Kind: probes.NodeService, Name: string(name), Parent: targetID(t),
		Health: h.verdict, Reason: h.reason,
	}
	if s.query.Detail {
		if err := s.detail(ctx, n, name); err != nil {
			return err
		}
	}
	s.claim(n, byReflection+", "+byHealth)
	return nil
}

// detail adds the methods of a service.
func (s *surveyor) detail(ctx context.Context, n *probes.Node, name protoreflect.FullName) error {
	sd, err := s.link.service(ctx, name)
	switch {
	case err != nil && notKnown(err):
		s.miss(string(name) + ": " + cause(s.link.schemaError(ctx, "", err)))
		return nil
	case err != nil:
		return s.link.requestError(ctx, "describing "+string(name), err)
	}
	for _, file := range s.link.missingImports(sd.ParentFile()) {
		n.Attrs = append(n.Attrs, probes.Attr{Name: attrMissing, Value: file})
	}
	n.Attrs = append(n.Attrs, probes.Attr{Name: attrMethods, Value: strconv.Itoa(sd.Methods().Len())})
	for i := range sd.Methods().Len() {
		n.Attrs = append(n.Attrs, probes.Attr{Name: probes.AttrRPCMethod, Value: methodName(sd.Methods().Get(i))})
	}
	return nil
}

func (s *surveyor) claim(n *probes.Node, call string) {
	s.snapshot.Claims = append(s.snapshot.Claims, probes.Claim{
		Node: n, By: s.link.set.target.Name, Call: call, Class: probes.Declared, Seen: time.Now(),
	})
}

// targetID and serviceID never meet, even for a service that is named like the
// target: "." begins an absolute protobuf name.
func targetID(target string) string { return probes.NodeID(probes.NodeService, target, target) }

func serviceID(target, name string) string {
	if name == target {
		name = "." + name
	}
	return probes.NodeID(probes.NodeService, target, name)
}

func join(names []protoreflect.FullName) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = string(n)
	}
	return strings.Join(out, ", ")
}
