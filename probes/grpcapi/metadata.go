package grpcapi

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/grpc/metadata"

	"iscope/probes"
)

// authMetadata turns credentials into the metadata of every call, reflection
// and health included.
func authMetadata(a probes.Auth) (metadata.MD, error) {
	name := "authorization"
	if a.Header != "" {
		if a.Token.IsZero() {
			return nil, errors.New("auth.header is set without auth.token")
		}
		name = strings.ToLower(a.Header)
		if err := checkMetadata(probes.Field{Name: name, Value: []byte(a.Token.Reveal())}); err != nil {
			return nil, fmt.Errorf("auth.header: %w", err)
		}
		return metadata.Pairs(name, a.Token.Reveal()), nil
	}
	mechanism := a.Mechanism
	if mechanism == "" {
		switch {
		case !a.Token.IsZero():
			mechanism = "bearer"
		case a.Username != "":
			mechanism = "basic"
		default:
			return nil, nil
		}
	}
	var value string
	switch mechanism {
	case "bearer":
		value = "Bearer " + a.Token.Reveal()
	case "basic":
		value = "Basic " + base64.StdEncoding.EncodeToString([]byte(a.Username+":"+a.Password.Reveal()))
	default:
		return nil, hinted(fmt.Errorf("auth mechanism %q does not exist in gRPC", mechanism), "use bearer or basic")
	}
	if !printable([]byte(value)) {
		return nil, errors.New("the credentials hold bytes that metadata cannot carry (a line break at the end?)")
	}
	return metadata.Pairs(name, value), nil
}

// checkMetadata refuses what grpc-go would drop in silence or report as an
// internal error of the server.
func checkMetadata(f probes.Field) error {
	name := strings.ToLower(f.Name)
	switch {
	case name == "":
		return errors.New("metadata without a name")
	case strings.HasPrefix(name, "grpc-"), strings.HasPrefix(name, ":"),
		slices.Contains([]string{"content-type", "user-agent", "te"}, name):
		return hinted(fmt.Errorf("metadata name %q is reserved for gRPC itself", f.Name), "leave it out")
	}
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return hinted(fmt.Errorf("metadata name %q holds %q", f.Name, c), "use letters, digits, - _ and .")
		}
	}
	if !strings.HasSuffix(name, "-bin") && !printable(f.Value) {
		return hinted(fmt.Errorf("the value of metadata %q is not printable ASCII", f.Name),
			"binary values need a name ending in -bin")
	}
	return nil
}

func printable(b []byte) bool {
	return !slices.ContainsFunc(b, func(c byte) bool { return c < 0x20 || c > 0x7e })
}

// outgoing puts credentials and a call's own metadata on its context. A name
// given for the call replaces the credential of that name.
func (s *settings) outgoing(ctx context.Context, own []probes.Field) (context.Context, error) {
	md := s.auth.Copy()
	if md == nil {
		md = metadata.MD{}
	}
	for _, f := range own {
		delete(md, strings.ToLower(f.Name))
	}
	for _, f := range own {
		if err := checkMetadata(f); err != nil {
			return nil, err
		}
		md.Append(f.Name, string(f.Value))
	}
	return metadata.NewOutgoingContext(ctx, md), nil
}

// fields lists received metadata by name: HTTP/2 field order does not survive
// grpc-go.
func fields(md metadata.MD) []probes.Field {
	names := make([]string, 0, len(md))
	for n := range md {
		names = append(names, n)
	}
	slices.Sort(names)
	var out []probes.Field
	for _, n := range names {
		for _, v := range md[n] {
			out = append(out, probes.Field{Name: n, Value: []byte(v)})
		}
	}
	return out
}
