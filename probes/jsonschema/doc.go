// Package jsonschema holds JSON documents against JSON Schemas of the drafts 4, 6,
// 7, 2019-09 and 2020-12, and says everything that is wrong with one, by path,
// without repeating its values, which may be secrets.
//
// It exists because it is part of every start of the program: the established
// library, github.com/santhosh-tekuri/jsonschema, compiles all its metaschemas when
// a process starts, which was half of what a call of iscope cost (7 of 15 ms of CPU,
// 3 MB). The tests compare the two on schemas and documents of every keyword.
//
// A schema is compiled to rules, a function for each keyword, that are bound to
// what they refer to. Specifications: https://json-schema.org/specification.
package jsonschema
