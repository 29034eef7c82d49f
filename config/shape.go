package config

import (
	"reflect"
	"strings"

	"iscope/config/yamltree"
)

// The shape of the file. Tags: key is the name in the file, doc what people
// read about it, default and example are words for the reference, enum lists
// the valid words. is holds traits:
//
//	required  must be there
//	ref       may hold references: ${env:X}, ${file:path}, ${cmd:…}
//	secret    shown as its reference or not at all
//	path      a file; relative ones start at the file's own folder
//	duration  such as 10s or 1m30s

type document struct {
	Default      text                 `key:"default" doc:"Environment used when none is named. Not needed where there is only one."`
	Environments entries[environment] `key:"environments" doc:"Groups of targets with the rules for them, by name."`
	Captures     captures             `key:"captures" doc:"Where captures are kept."`
	UI           ui                   `key:"ui" doc:"How the terminal interface looks."`
}

type environment struct {
	Class    text            `key:"class" enum:"local|dev|staging|prod|unknown" default:"unknown" doc:"How careful to be. unknown is treated as prod."`
	Write    toggle          `key:"write" default:"true for local, dev and staging" doc:"Allow calls and messages that may change something."`
	Dial     toggle          `key:"dial" default:"true for local and dev" doc:"Allow iscope to try whether registered instances listen, by opening a TCP connection to them."`
	ReplayTo toggle          `key:"allow_replay_to_prod" default:"false" doc:"Allow replaying into this environment although its class is prod or unknown. There is no flag for it on purpose."`
	Targets  entries[target] `key:"targets" doc:"Systems to talk to, by name. A name may hold no slash."`
}

type target struct {
	URL     text            `key:"url" is:"required,ref" example:"kafka://127.0.0.1:9092" doc:"Scheme and address; the scheme chooses the driver. Several addresses are separated by commas where the system has several."`
	TLS     *tlsShape       `key:"tls" doc:"How to secure the connection. Being there switches TLS on, whatever the scheme."`
	Auth    authShape       `key:"auth" doc:"How to authenticate. Which fields are used is up to the driver."`
	Aliases []text          `key:"aliases" doc:"Other names of the same service, under which registries and traces know it."`
	Timeout text            `key:"timeout" is:"duration" default:"10s" doc:"Limit for one request."`
	Schemas *schemasShape   `key:"schemas" doc:"Where the schemas of this target's messages are."`
	Options entries[scalar] `key:"options" is:"ref" doc:"Settings that only this driver knows. Values that start with ./, ../ or ~/ are paths."`
}

type tlsShape struct {
	Enabled  toggle `key:"enabled" default:"true" doc:"false keeps the other settings but connects without TLS."`
	CA       text   `key:"ca" is:"ref,path" default:"the system's" doc:"PEM file with the authorities to trust."`
	Cert     text   `key:"cert" is:"ref,path" doc:"PEM file with the client certificate."`
	Key      text   `key:"key" is:"ref,path" doc:"PEM file with the client certificate's key."`
	Server   text   `key:"server_name" doc:"Name the server's certificate must have, where it differs from the address."`
	Insecure toggle `key:"insecure_skip_verify" default:"false" doc:"Accept any certificate. Anyone in between can read and change the traffic."`
}

type authShape struct {
	Mechanism text `key:"mechanism" enum:"basic|bearer|plain|scram-sha-256|scram-sha-512|oauthbearer|aws-msk-iam|external" default:"whatever the fields imply" doc:"How credentials are presented."`
	Username  text `key:"username" is:"ref" doc:"Name to log in with."`
	Password  text `key:"password" is:"ref,secret" example:"${env:KAFKA_PASSWORD}" doc:"Password to log in with."`
	Token     text `key:"token" is:"ref,secret" example:"${file:~/.token}" doc:"Bearer token, API key or ACL token."`
	Header    text `key:"header" is:"ref" default:"Authorization" example:"X-Consul-Token" doc:"Header or metadata key that carries the token."`
}

type schemasShape struct {
	Registry text      `key:"registry" is:"ref" example:"http://127.0.0.1:8081" doc:"URL of a schema registry with Confluent's API."`
	TLS      *tlsShape `key:"tls" doc:"How to secure the connection to the registry."`
	Auth     authShape `key:"auth" doc:"How to authenticate to the registry: username and password, or token."`
	Strategy text      `key:"strategy" enum:"TopicName|RecordName|TopicRecordName" default:"none" doc:"How to find the schema of a body that names none, by the name of its subject in the registry."`
	Records  []text    `key:"records" example:"orders.*=shop.Order" doc:"The type of a topic's bodies, TOPIC=NAME, for the strategies with a record's name."`
	Files    []text    `key:"files" example:"orders.created=./order.avsc" doc:"Schemas in files: TOPIC=FILE, TOPIC:key=FILE, TOPIC=FILE.proto#package.Message. Relative ones start at this file's folder."`
	Imports  []text    `key:"imports" example:"./proto" doc:"Folders that the imports of .proto files are relative to."`
}

type captures struct {
	Dir      text   `key:"dir" is:"path" default:"the working directory" doc:"Folder for capture files."`
	MaxBytes number `key:"max_bytes" default:"no limit" doc:"Size in bytes at which a capture ends."`
}

type ui struct {
	ASCII toggle `key:"ascii" default:"false" doc:"Draw with ASCII characters only."`
	Color text   `key:"color" enum:"auto|never" default:"auto" doc:"auto uses colour on terminals that have it, unless NO_COLOR is set."`
	Mouse toggle `key:"mouse" default:"false" doc:"Let the mouse select and scroll; the terminal's own selection then needs shift."`
}

// Leaves remember where they stand. Set tells "not given" from a zero value.
type (
	text struct {
		Raw string
		At  yamltree.Pos
		Set bool
	}
	toggle struct {
		Value bool
		At    yamltree.Pos
		Set   bool
	}
	number struct {
		Value int64
		At    yamltree.Pos
		Set   bool
	}
	// scalar is a driver's option: any plain value, kept as written.
	scalar struct {
		Raw  string
		Kind yamltree.Kind
		At   yamltree.Pos
	}
	// entries is a map with the order and the places of its keys.
	entries[T any] []entry[T]
	entry[T any]   struct {
		Name  text
		Value T
	}
)

// or is the value, or what applies when none is given.
func (f toggle) or(def bool) bool {
	if f.Set {
		return f.Value
	}
	return def
}

// field is what a struct's tags say about one key.
type field struct {
	name, doc, def, example                 string
	enum                                    []string
	required, ref, secret, path, isDuration bool
	typ                                     reflect.Type
	index                                   int
}

// fieldsOf reads the tags of a struct of this file.
func fieldsOf(t reflect.Type) []field {
	out := make([]field, 0, t.NumField())
	for i := range t.NumField() {
		sf := t.Field(i)
		f := field{name: sf.Tag.Get("key"), doc: sf.Tag.Get("doc"), def: sf.Tag.Get("default"),
			example: sf.Tag.Get("example"), typ: sf.Type, index: i}
		if e := sf.Tag.Get("enum"); e != "" {
			f.enum = strings.Split(e, "|")
		}
		for trait := range strings.SplitSeq(sf.Tag.Get("is"), ",") {
			switch trait {
			case "required":
				f.required = true
			case "ref":
				f.ref = true
			case "secret":
				f.secret = true
			case "path":
				f.path = true
			case "duration":
				f.isDuration = true
			}
		}
		out = append(out, f)
	}
	return out
}

func keysOf(fields []field) []string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = f.name
	}
	return out
}
