package protobuf

import "iscope/inspectors/evolve/change"

// Level is what must not break, as buf's categories.
type Level string

const (
	// File: code generated from the files compiles as before.
	File Level = "file"
	// Package: the same, but types may move between files of a package.
	Package Level = "package"
	// WireJSON: messages are read as before, binary and as JSON.
	WireJSON Level = "wire-json"
	// Wire: messages are read as before in binary.
	Wire Level = "wire"
)

// inLevel reports whether a rule belongs to a level (buf config
// ls-breaking-rules).
func inLevel(rule string, level Level) bool {
	switch rule {
	case "EXTENSION_NO_DELETE", "SERVICE_NO_DELETE", "ENUM_NO_DELETE", "FILE_NO_DELETE", "MESSAGE_NO_DELETE":
		return level == File
	case "PACKAGE_ENUM_NO_DELETE", "PACKAGE_EXTENSION_NO_DELETE", "PACKAGE_MESSAGE_NO_DELETE", "PACKAGE_NO_DELETE", "PACKAGE_SERVICE_NO_DELETE":
		return level == Package
	case "FIELD_SAME_DEFAULT", "FIELD_SAME_ONEOF", "FILE_SAME_PACKAGE", "MESSAGE_SAME_REQUIRED_FIELDS", "RESERVED_ENUM_NO_DELETE", "RESERVED_MESSAGE_NO_DELETE",
		"RPC_SAME_CLIENT_STREAMING", "RPC_SAME_IDEMPOTENCY_LEVEL", "RPC_SAME_REQUEST_TYPE", "RPC_SAME_RESPONSE_TYPE", "RPC_SAME_SERVER_STREAMING":
		return true
	case "ENUM_SAME_JSON_FORMAT", "ENUM_VALUE_SAME_NAME", "FIELD_SAME_JSON_NAME", "FIELD_SAME_NAME", "MESSAGE_SAME_JSON_FORMAT":
		return level != Wire
	case "ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED", "FIELD_NO_DELETE_UNLESS_NAME_RESERVED", "FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY", "FIELD_WIRE_JSON_COMPATIBLE_TYPE":
		return level == WireJSON
	case "ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED", "FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED":
		return level == WireJSON || level == Wire
	case "FIELD_WIRE_COMPATIBLE_CARDINALITY", "FIELD_WIRE_COMPATIBLE_TYPE":
		return level == Wire
	}
	return level == File || level == Package
}

// severity of a broken rule: what another level forbids is dangerous.
func (d *differ) severity(rule string) change.Severity {
	if inLevel(rule, d.level) {
		return change.Breaking
	}
	return change.Dangerous
}

// generated reports whether generated code counts.
func (d *differ) generated() bool { return d.level == File || d.level == Package }
