package protobuf

import "maps"

// Schemas in a registry import two files that Confluent's serializers bring
// along and that are therefore not registered. Written from their published
// field numbers
// (https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/serdes-protobuf.html).
const (
	confluentDecimal = `syntax = "proto3";
package confluent.type;
message Decimal {
  bytes value = 1;
  uint32 precision = 2;
  int32 scale = 3;
}
`
	confluentMeta = `syntax = "proto3";
package confluent;
import "google/protobuf/descriptor.proto";
message Meta {
  string doc = 1;
  map<string, string> params = 2;
  repeated string tags = 3;
}
extend google.protobuf.FileOptions { Meta file_meta = 1088; }
extend google.protobuf.MessageOptions { Meta message_meta = 1088; }
extend google.protobuf.FieldOptions { Meta field_meta = 1088; }
extend google.protobuf.EnumOptions { Meta enum_meta = 1088; }
extend google.protobuf.EnumValueOptions { Meta enum_value_meta = 1088; }
`
)

// withBuiltin adds the built-in files to sources that do not have them.
func withBuiltin(sources map[string]string) map[string]string {
	all := map[string]string{"confluent/type/decimal.proto": confluentDecimal, "confluent/meta.proto": confluentMeta}
	maps.Copy(all, sources)
	return all
}
