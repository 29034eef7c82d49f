package grpcapi

import (
	"context"
	"strconv"
	"strings"

	"github.com/jhump/protoreflect/v2/grpcreflect"
	"github.com/jhump/protoreflect/v2/protoresolve"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"
)

// resolver is what encoding and decoding need to know of other types.
type resolver = protoresolve.SerializationResolver

// types resolves message and extension types while protobuf encodes or decodes
// a message. It holds a context because those interfaces have none, and lives
// no longer than the request it was made for.
type types struct {
	ctx  context.Context
	link *link
}

var _ resolver = types{}

// linkedIn reports whether a type is part of this program for sure, so that no
// server needs to be asked.
func linkedIn(name protoreflect.FullName) bool {
	return strings.HasPrefix(string(name), "google.protobuf.") || strings.HasPrefix(string(name), "google.rpc.")
}

func (t types) FindMessageByName(name protoreflect.FullName) (protoreflect.MessageType, error) {
	if linkedIn(name) {
		if mt, err := protoregistry.GlobalTypes.FindMessageByName(name); err == nil {
			return mt, nil
		}
	}
	if !name.IsValid() {
		return nil, protoregistry.NotFound
	}
	d, err := t.link.find(t.ctx, name)
	if err != nil {
		return nil, plainNotFound(err)
	}
	md, ok := d.(protoreflect.MessageDescriptor)
	if !ok {
		return nil, protoregistry.NotFound
	}
	return dynamicpb.NewMessageType(md), nil
}

func (t types) FindMessageByURL(url string) (protoreflect.MessageType, error) {
	return t.FindMessageByName(protoresolve.TypeNameFromURL(url))
}

func (t types) FindExtensionByName(name protoreflect.FullName) (protoreflect.ExtensionType, error) {
	if !name.IsValid() {
		return nil, protoregistry.NotFound
	}
	d, err := t.link.find(t.ctx, name)
	if err != nil {
		return nil, plainNotFound(err)
	}
	xd, ok := d.(protoreflect.ExtensionDescriptor)
	if !ok || !xd.IsExtension() {
		return nil, protoregistry.NotFound
	}
	return protoresolve.ExtensionType(xd), nil
}

// FindExtensionByNumber answers NotFound whatever the failure: any other error
// would make the whole message undecodable, while an unresolved extension only
// stays an unknown field, which is counted.
func (t types) FindExtensionByNumber(message protoreflect.FullName, number protoreflect.FieldNumber) (protoreflect.ExtensionType, error) {
	key := "extension:" + string(message) + ":" + strconv.Itoa(int(number))
	d, err := t.link.remote(t.ctx, key, func(c *grpcreflect.Client) (protoreflect.Descriptor, error) {
		return c.AsResolver().FindExtensionByNumber(message, number)
	})
	if err == nil {
		return protoresolve.ExtensionType(d.(protoreflect.ExtensionDescriptor)), nil
	}
	if src := t.link.set.sources; src != nil {
		if xd, err := src.files.FindExtensionByNumber(message, number); err == nil {
			return protoresolve.ExtensionType(xd), nil
		}
	}
	return protoregistry.GlobalTypes.FindExtensionByNumber(message, number)
}

// plainNotFound gives the protobuf runtime the one value it compares with.
func plainNotFound(err error) error {
	if notKnown(err) {
		return protoregistry.NotFound
	}
	return err
}
