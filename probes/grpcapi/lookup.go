package grpcapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jhump/protoreflect/v2/grpcreflect"
	"github.com/jhump/protoreflect/v2/protoresolve"
	// Linked in for its types: error details of google.rpc are decoded even if
	// the server does not describe them.
	_ "google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"iscope/probes"
)

// services lists what the server offers, sorted. Where reflection is off it
// lists what the sources describe.
func (l *link) services(ctx context.Context) ([]protoreflect.FullName, error) {
	var names []protoreflect.FullName
	err := l.reflect.ask(ctx, func(c *grpcreflect.Client) error {
		var err error
		names, err = c.ListServices()
		return err
	})
	if src := l.set.sources; src != nil && errors.Is(err, probes.ErrUnsupported) {
		return src.offered, nil
	}
	if err != nil {
		return nil, l.requestError(ctx, "listing services", err)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// find returns the descriptor of a symbol: from the server, from the sources,
// or of a type that is linked in. notKnown tells the error of a symbol that
// nobody knows from a failure to ask.
func (l *link) find(ctx context.Context, name protoreflect.FullName) (protoreflect.Descriptor, error) {
	d, err := l.remote(ctx, "symbol:"+string(name), func(c *grpcreflect.Client) (protoreflect.Descriptor, error) {
		file, err := c.FileContainingSymbol(name)
		if err != nil {
			return nil, err
		}
		if d := protoresolve.FindDescriptorByNameInFile(file, name); d != nil {
			return d, nil
		}
		return nil, protoregistry.NotFound
	})
	if err == nil {
		return d, nil
	}
	if src := l.set.sources; src != nil {
		if d, err := src.files.FindDescriptorByName(name); err == nil {
			return d, nil
		}
		if errors.Is(err, probes.ErrUnsupported) {
			err = protoregistry.NotFound // the sources are all there is
		}
	}
	if d, err := protoregistry.GlobalFiles.FindDescriptorByName(name); err == nil {
		return d, nil
	}
	return nil, err
}

// remote asks the server once for each key and remembers that it does not know.
func (l *link) remote(ctx context.Context, key string, ask func(*grpcreflect.Client) (protoreflect.Descriptor, error)) (protoreflect.Descriptor, error) {
	var d protoreflect.Descriptor
	err := l.reflect.ask(ctx, func(c *grpcreflect.Client) error {
		if err := l.reflect.missing[key]; err != nil {
			return err
		}
		var err error
		if d, err = ask(c); err != nil && notKnown(err) {
			l.reflect.missing[key] = err
		}
		if absent := l.reflect.calls.takeAbsent(); err == nil {
			l.noteAbsent(d.ParentFile(), absent)
		}
		return err
	})
	return d, err
}

// service finds a service, or returns NotFound.
func (l *link) service(ctx context.Context, name protoreflect.FullName) (protoreflect.ServiceDescriptor, error) {
	if !name.IsValid() {
		return nil, protoregistry.NotFound
	}
	d, err := l.find(ctx, name)
	if err != nil {
		return nil, err
	}
	sd, ok := d.(protoreflect.ServiceDescriptor)
	if !ok {
		return nil, protoregistry.NotFound
	}
	return sd, nil
}

// method finds what a person typed: pkg.Service/Method, pkg.Service.Method,
// either without the package, or the method alone, where that is unambiguous.
func (l *link) method(ctx context.Context, typed string) (protoreflect.MethodDescriptor, error) {
	const op = "finding the method"
	name := strings.TrimPrefix(typed, "/")
	cut := strings.LastIndexByte(name, '/')
	if cut < 0 {
		cut = strings.LastIndexByte(name, '.')
	}
	if name == "" {
		return nil, l.set.fail(op, probes.ErrUsage, hinted(errors.New("no method given"), "write it as pkg.Service/Method"))
	}
	if cut < 0 {
		return l.methodLike(ctx, op, name)
	}
	sd, err := l.serviceLike(ctx, op, name[:cut])
	switch {
	case err == protoregistry.NotFound:
		return nil, l.notFound(ctx, op, fmt.Errorf("there is no service %s", name[:cut]), name, name[:cut])
	case err != nil:
		return nil, l.schemaError(ctx, op, err)
	}
	md := sd.Methods().ByName(protoreflect.Name(name[cut+1:]))
	if md == nil {
		return nil, l.set.fail(op, probes.ErrNotFound, hinted(fmt.Errorf("there is no method %s in %s", name[cut+1:], sd.FullName()),
			probes.NearestHint(name[cut+1:], methodNames(sd))))
	}
	return md, nil
}

// methodLike finds the one method of that name, whatever its service.
func (l *link) methodLike(ctx context.Context, op, name string) (protoreflect.MethodDescriptor, error) {
	services, err := l.services(ctx)
	if err != nil {
		return nil, err
	}
	var found protoreflect.MethodDescriptor
	var like, known []string
	var hidden error // of a service that is listed, but whose files cannot be had
	for _, s := range services {
		if s.Name() == protoreflect.Name(name) {
			return nil, l.notFound(ctx, op, nil, string(s), "")
		}
		sd, err := l.service(ctx, s)
		if err != nil {
			if hidden = l.schemaError(ctx, op, err); !notKnown(err) {
				return nil, hidden
			}
			continue
		}
		if md := sd.Methods().ByName(protoreflect.Name(name)); md != nil {
			found, like = md, append(like, methodName(md))
		}
		known = append(known, methodNames(sd)...)
	}
	switch {
	case len(like) == 0 && hidden != nil:
		return nil, hidden // it may be there
	case len(like) == 0:
		slices.Sort(known)
		return nil, l.set.fail(op, probes.ErrNotFound, hinted(fmt.Errorf("%q names no method", name), probes.NearestHint(name, slices.Compact(known))))
	case len(like) == 1:
		return found, nil
	}
	return nil, l.set.fail(op, probes.ErrUsage, hinted(fmt.Errorf("%s is ambiguous", name), "use one of "+strings.Join(like, ", ")))
}

// serviceLike finds a service by its full name or by an unambiguous end of it.
func (l *link) serviceLike(ctx context.Context, op, name string) (protoreflect.ServiceDescriptor, error) {
	sd, err := l.service(ctx, protoreflect.FullName(name))
	if err == nil || !notKnown(err) {
		return sd, err
	}
	missing := err
	names, err := l.services(ctx)
	if err != nil {
		return nil, err
	}
	var like []string
	for _, n := range names {
		if string(n) == name {
			return nil, missing // listed, but its files cannot be had
		}
		if strings.HasSuffix(string(n), "."+name) {
			like = append(like, string(n))
		}
	}
	switch len(like) {
	case 0:
		return nil, protoregistry.NotFound
	case 1:
		return l.service(ctx, protoreflect.FullName(like[0]))
	}
	return nil, l.set.fail(op, probes.ErrUsage, hinted(fmt.Errorf("%s is ambiguous", name), "use one of "+strings.Join(like, ", ")))
}

// notKnown reports whether err says that nobody knows a symbol.
func notKnown(err error) bool {
	return errors.Is(err, protoresolve.ErrNotFound) || grpcreflect.IsElementNotFoundError(err)
}

// schemaError is about a service that exists but whose descriptors cannot be
// had, mostly because the server does not serve a file that they import.
func (l *link) schemaError(ctx context.Context, op string, err error) error {
	if !notKnown(err) {
		return l.requestError(ctx, op, err)
	}
	text := strings.ReplaceAll(err.Error(), "\ncaused by: ", ", because of ")
	return l.set.fail(op, probes.ErrProtocol, hinted(fmt.Errorf("the server's reflection is incomplete: %s", text),
		"set the option protoset to a FileDescriptorSet that has the missing file, or the option proto to the file"))
}

// notFound adds the services nearest to the one that is missing, unless what
// was typed is a service.
func (l *link) notFound(ctx context.Context, op string, cause error, typed, service string) error {
	names, err := l.services(ctx)
	if err != nil {
		return err
	}
	list := make([]string, len(names))
	for i, n := range names {
		list[i] = string(n)
		if list[i] == typed {
			return l.set.fail(op, probes.ErrUsage, hinted(fmt.Errorf("%s is a service", typed), l.choose(ctx, n)))
		}
	}
	return l.set.fail(op, probes.ErrNotFound, hinted(cause, probes.NearestHint(service, list)))
}

// choose names the methods of a service.
func (l *link) choose(ctx context.Context, name protoreflect.FullName) string {
	const hint = "add a method: "
	sd, err := l.service(ctx, name)
	if err != nil {
		return hint + string(name) + "/Method"
	}
	return hint + string(name) + "/{" + strings.Join(methodNames(sd), ", ") + "}"
}

func methodNames(sd protoreflect.ServiceDescriptor) []string {
	out := make([]string, sd.Methods().Len())
	for i := range out {
		out[i] = string(sd.Methods().Get(i).Name())
	}
	return out
}

// methodName is a method as users write and see it.
func methodName(md protoreflect.MethodDescriptor) string {
	return string(md.Parent().FullName()) + "/" + string(md.Name())
}
