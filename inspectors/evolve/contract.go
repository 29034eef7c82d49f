package evolve

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"iscope/inspectors/evolve/openapi"
	"iscope/inspectors/evolve/protobuf"
	"iscope/inspectors/evolve/tree"
	"iscope/probes"
)

// Kind is what a contract is written in.
type Kind string

// The kinds, named as in probes.Schema.Type.
const (
	Protobuf   Kind = "protobuf"
	OpenAPI    Kind = "openapi"
	GraphQL    Kind = "graphql"
	Avro       Kind = "avro"
	JSONSchema Kind = "jsonschema"
)

func (k Kind) article() string {
	switch k {
	case Protobuf:
		return "a Protobuf contract"
	case OpenAPI:
		return "an OpenAPI document"
	case GraphQL:
		return "a GraphQL schema"
	case Avro:
		return "an Avro schema"
	case JSONSchema:
		return "a JSON Schema"
	}
	return "something else"
}

// Contract is one side of a comparison. It is immutable once read.
type Contract struct {
	Name string
	Kind Kind
	// Text is the contract as a person reads it.
	Text string

	proto *protobuf.Contract
	tree  *tree.Node
	text  []byte
	lines bool // lines mean something to whoever gave it
	notes []string
	// partial says that more of it exists than is known.
	partial bool
}

// MaxSize is the size of the largest contract that is read, in bytes.
const MaxSize = 256 << 20

// FromSchema makes a contract of what a target gave.
func FromSchema(name string, s probes.Schema) (*Contract, error) {
	c := &Contract{Name: name, Kind: Kind(s.Type), Text: s.Text}
	data := s.Data
	if len(data) == 0 {
		data = []byte(s.Text)
	}
	return c, c.parse(data)
}

// Incomplete says that the source could not give all of a contract: what is
// missing from it does not count as removed, and a note says why.
func (c *Contract) Incomplete(why string) {
	c.notes = append(c.notes, c.Name+": "+why)
	if c.proto != nil {
		c.proto.Partial = true
	}
	if c.tree != nil {
		c.tree.Cut = true
	}
	c.partial = true
}

// FromFile reads a file, or a folder of .proto files. Imports of .proto files are
// looked for in the given folders and beside the file. Of a file that is broken,
// what was read before the break is used, and a note says so; an error tells the
// line and the column.
func FromFile(ctx context.Context, path string, imports []string) (*Contract, error) {
	c := &Contract{Name: path, lines: true}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() || filepath.Ext(path) == ".proto" {
		c.Kind = Protobuf
		if c.proto, err = protobuf.FromSource(ctx, path, imports); err != nil {
			return nil, err
		}
		c.Text, err = sourceOf(path, info, c.proto)
		return c, err
	}
	if info.Size() > MaxSize {
		return nil, fmt.Errorf("%d bytes are more than the %d that are read", info.Size(), MaxSize)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if c.Kind, err = kindOf(path, data); err != nil {
		return nil, err
	}
	if c.Kind != Protobuf {
		c.Text = string(data)
	}
	return c, c.parse(data)
}

// sourceOf is the text of a .proto file as it stands, of a folder as printed.
func sourceOf(path string, info os.FileInfo, c *protobuf.Contract) (string, error) {
	if info.IsDir() {
		return c.Source()
	}
	text, err := os.ReadFile(path)
	return string(text), err
}

// parse reads the machine form.
func (c *Contract) parse(data []byte) (err error) {
	switch c.Kind {
	case Protobuf:
		c.lines = false
		if c.proto, err = protobuf.FromSet(data); err == nil && c.Text == "" {
			c.Text, err = c.proto.Source()
		}
	case GraphQL:
		c.text = data
	case OpenAPI, Avro, JSONSchema:
		return c.parseTree(data)
	default:
		return fmt.Errorf("contracts of the kind %q cannot be compared", string(c.Kind))
	}
	return err
}

func (c *Contract) parseTree(data []byte) error {
	n, err := tree.Parse(data)
	var broken *tree.Fault
	switch {
	case n == nil && err != nil:
		return err
	case errors.As(err, &broken):
		c.notes = append(c.notes, fmt.Sprintf("%s: %s; what follows is not compared", c.Name, broken.Error()))
	case err != nil:
		return err
	}
	c.tree = n
	return nil
}

// kindOf recognises a file by its name, else by what is in it.
func kindOf(path string, data []byte) (Kind, error) {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".binpb", ".protoset", ".pb", ".fds", ".desc":
		return Protobuf, nil
	case ".avsc":
		return Avro, nil
	case ".graphql", ".graphqls", ".gql", ".sdl":
		return GraphQL, nil
	}
	n, err := tree.Parse(data)
	if n == nil {
		if bytes.IndexByte(data[:min(len(data), 512)], 0) >= 0 {
			return Protobuf, nil
		}
		return "", err
	}
	if k := kindOfTree(n); k != "" {
		return k, nil
	}
	return "", errors.New("this is no contract that iscope knows: not OpenAPI, GraphQL, Avro or JSON Schema (known by their content), nor .proto, .binpb, .avsc, .graphql (by their name)")
}

func kindOfTree(n *tree.Node) Kind {
	switch {
	case n.Kind == tree.List && len(n.Items) > 0, n.Kind == tree.String:
		return Avro
	case !n.IsMap():
		return ""
	case len(n.Keys) == 0: // allows anything
		return JSONSchema
	case n.Get("openapi") != nil, n.Get("swagger") != nil:
		return OpenAPI
	case n.Get("__schema") != nil, n.Get("data").Get("__schema") != nil:
		return GraphQL
	case n.Get("$schema") != nil, n.Get("properties") != nil, n.Get("$defs") != nil, n.Get("definitions") != nil, n.Get("$ref") != nil:
		return JSONSchema
	}
	switch n.Str("type") {
	case "record", "error", "enum", "fixed", "map", "bytes", "int", "long", "float", "double":
		return Avro
	case "array":
		if n.Get("items").IsMap() && n.Get("minItems") == nil && kindOfTree(n.Get("items")) == Avro {
			return Avro
		}
	}
	for _, key := range []string{"type", "allOf", "anyOf", "oneOf", "enum", "const", "items", "$id", "not"} {
		if n.Get(key) != nil {
			return JSONSchema
		}
	}
	return ""
}

// Only narrows a contract to one service, method or operation. The names are
// those there are, where there is no such one; none where contracts of this kind
// have no such parts.
func (c *Contract) Only(subject string) (narrowed *Contract, names []string) {
	n := *c
	switch c.Kind {
	case Protobuf:
		n.proto, names = c.proto.Only(subject)
	case OpenAPI:
		n.tree, names = openapi.Only(c.tree, subject)
	default:
		return nil, nil
	}
	if n.proto == nil && n.tree == nil {
		return nil, names
	}
	return &n, nil
}
