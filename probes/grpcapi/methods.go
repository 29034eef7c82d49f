package grpcapi

import (
	"context"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"iscope/probes"
)

// Methods asks the server anew each time: it is how a person learns that a
// deployment changed the contract. Services whose descriptors cannot be had
// are left out unless there are no others; Discover names them in Missing.
func (p *probe) Methods(ctx context.Context) ([]probes.Method, error) {
	l, done, err := p.use(ctx, "listing methods")
	if err != nil {
		return nil, err
	}
	defer done()
	l.reflect.renew(ctx)
	names, err := l.services(ctx)
	if err != nil {
		return nil, err
	}
	var out []probes.Method
	var failed error
	for _, name := range names {
		sd, err := l.service(ctx, name)
		if err != nil {
			if failed = l.schemaError(ctx, "describing "+string(name), err); !notKnown(err) {
				return nil, failed // the next would fail alike
			}
			continue
		}
		for i := range sd.Methods().Len() {
			out = append(out, l.describe(sd.Methods().Get(i)))
		}
	}
	if len(out) == 0 && failed != nil {
		return nil, failed
	}
	slices.SortFunc(out, func(a, b probes.Method) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Method finds one method, at the cost of one question to reflection.
func (p *probe) Method(ctx context.Context, name string) (probes.Method, error) {
	began := time.Now()
	l, done, err := p.use(ctx, "finding the method")
	if err != nil {
		return probes.Method{}, err
	}
	defer done()
	md, err := l.method(ctx, name)
	if err != nil {
		return probes.Method{}, err
	}
	l.lookedFor(began)
	return l.describe(md), nil
}

func (l *link) describe(md protoreflect.MethodDescriptor) probes.Method {
	m := probes.Method{
		Name:         methodName(md),
		Group:        string(md.Parent().FullName()),
		Doc:          l.docLine(md),
		Effect:       effectOf(md),
		ClientStream: md.IsStreamingClient(),
		ServerStream: md.IsStreamingServer(),
		Input:        string(md.Input().FullName()),
		Output:       string(md.Output().FullName()),
		Template:     template(md.Input()),
	}
	if o, ok := md.Options().(*descriptorpb.MethodOptions); ok {
		m.Deprecated = o.GetDeprecated()
	}
	return m
}

// docLine is the first line of an element's comment.
func (l *link) docLine(d protoreflect.Descriptor) string {
	line, _, _ := strings.Cut(l.comment(d), "\n")
	return line
}
