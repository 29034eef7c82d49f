package probes

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"
)

// Target is one system to talk to, as the configuration or the command line
// named it. Secrets in it are resolved.
type Target struct {
	Name        string // unique within its environment; for URLs the URL's address
	Driver      string // Driver.Name
	Address     string // host:port, comma separated where a system has several; or a URL
	Environment Environment
	TLS         TLS
	Auth        Auth
	Options     map[string]string // by Option.Name
	Aliases     []string          // other names of the same service, for topology
	Schemas     Schemas           // of its messages; drivers do not look at it
	// Timeout bounds one request; 0 means DefaultTimeout.
	Timeout time.Duration
}

// Schemas says where the schemas of a target's messages are. Inspectors use it;
// the texts are as in the configuration.
type Schemas struct {
	Registry string // URL of a registry with Confluent's API, "" for none
	Auth     Auth
	TLS      TLS
	Strategy string   // of the subjects' names, for bodies that name no schema
	Records  []string // TOPIC=NAME, for the strategies with a record's name
	Files    []string // TOPIC=FILE[#MESSAGE], TOPIC:key=FILE
	Imports  []string // folders that imports of .proto files are relative to
}

// IsZero reports whether nothing is configured.
func (s Schemas) IsZero() bool { return s.Registry == "" && len(s.Files) == 0 }

// DefaultTimeout bounds one request where the target says nothing.
const DefaultTimeout = 10 * time.Second

// RequestTimeout is the target's timeout or the default.
func (t *Target) RequestTimeout() time.Duration {
	if t.Timeout > 0 {
		return t.Timeout
	}
	return DefaultTimeout
}

// Environment is the group a target belongs to, with the rules for it.
type Environment struct {
	Name  string
	Class Class
	// Write allows calls and messages that may change something.
	Write bool
	// ReplayToProd allows replaying into an environment of class prod. There is
	// no flag for it on purpose.
	ReplayToProd bool
	// Dial allows iscope to try whether registered instances listen.
	Dial bool
}

// Class says how careful to be. Unknown is treated as Prod.
type Class string

const (
	ClassLocal   Class = "local"
	ClassDev     Class = "dev"
	ClassStaging Class = "staging"
	ClassProd    Class = "prod"
	ClassUnknown Class = "unknown"
)

// WritesByDefault reports whether an environment of this class may be written
// to unless its configuration says otherwise.
func (c Class) WritesByDefault() bool {
	return c == ClassLocal || c == ClassDev || c == ClassStaging
}

// Secret is a string that never prints itself: not with %v or %#v, not as JSON,
// not in an error. Reveal is the one way in.
type Secret struct{ value string }

// NewSecret wraps a resolved secret.
func NewSecret(s string) Secret { return Secret{value: s} }

// Reveal returns the secret for the wire.
func (s Secret) Reveal() string { return s.value }

// IsZero reports whether there is none.
func (s Secret) IsZero() bool { return s.value == "" }

const redacted = "«redacted»"

func (s Secret) String() string {
	if s.value == "" {
		return ""
	}
	return redacted
}

// GoString keeps %#v quiet.
func (s Secret) GoString() string { return s.String() }

// MarshalText keeps JSON and YAML quiet.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Auth is how to authenticate. Which fields a driver uses is in its Doc.
type Auth struct {
	// Mechanism is "" (whatever the fields imply), "basic", "bearer", "plain",
	// "scram-sha-256", "scram-sha-512", "oauthbearer", "aws-msk-iam" or
	// "external".
	Mechanism string
	Username  string
	Password  Secret
	Token     Secret
	// Header is a header (metadata) name for Token instead of Authorization:
	// "X-Consul-Token", "x-api-key".
	Header string
}

// IsZero reports whether nothing is configured.
func (a Auth) IsZero() bool {
	return a.Mechanism == "" && a.Username == "" && a.Password.IsZero() && a.Token.IsZero()
}

// TLS is how to secure the connection. Certificates are verified unless
// InsecureSkipVerify says otherwise.
type TLS struct {
	Enabled            bool
	CAFile             string // PEM; "" uses the system's
	CertFile, KeyFile  string // client certificate, PEM
	ServerName         string
	InsecureSkipVerify bool
}

// Config builds the client configuration, or nil when TLS is off. A bad or
// missing file is an ErrUsage that names it.
func (t TLS) Config() (*tls.Config, error) {
	if !t.Enabled {
		return nil, nil
	}
	c := &tls.Config{ServerName: t.ServerName, InsecureSkipVerify: t.InsecureSkipVerify, MinVersion: tls.VersionTLS12}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, &Error{Op: "reading the CA file", Kind: ErrUsage, Err: err}
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, &Error{Op: "reading the CA file", Kind: ErrUsage,
				Err: fmt.Errorf("%s holds no PEM certificate", t.CAFile)}
		}
	}
	if t.CertFile != "" || t.KeyFile != "" {
		cert, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, &Error{Op: "loading the client certificate", Kind: ErrUsage, Err: err}
		}
		c.Certificates = []tls.Certificate{cert}
	}
	return c, nil
}

// IsURL reports whether s is a target given on the spot rather than a
// configured name.
func IsURL(s string) bool { return strings.Contains(s, "://") }

// ParseURL reads a target given on the spot, such as
// kafka://127.0.0.1:9092/orders.created, and the subject in it. User
// information becomes Auth. The environment is of class unknown: read-only
// until the caller allows more.
func ParseURL(drivers []Driver, s string) (Target, string, error) {
	u, err := url.Parse(s)
	if err != nil {
		return Target{}, "", &Error{Op: "reading the target", Kind: ErrUsage, Err: scrubURL(err)}
	}
	d, secure, ok := driverForScheme(drivers, u.Scheme)
	if !ok {
		return Target{}, "", &Error{Target: u.Redacted(), Op: "reading the target", Kind: ErrUsage,
			Err:  fmt.Errorf("unknown scheme %q", u.Scheme),
			Hint: "use one of " + strings.Join(schemes(drivers), ", ")}
	}
	if u.Host == "" {
		return Target{}, "", &Error{Target: u.Redacted(), Op: "reading the target", Kind: ErrUsage,
			Err: fmt.Errorf("no host in it"), Hint: "write it as " + u.Scheme + "://host:port/subject"}
	}
	t := Target{Name: u.Scheme + "://" + u.Host, Driver: d.Name, Address: u.Host,
		Environment: Environment{Name: "url", Class: ClassUnknown}, TLS: TLS{Enabled: secure}, Options: map[string]string{}}
	if u.User != nil {
		t.Auth.Username = u.User.Username()
		if p, ok := u.User.Password(); ok {
			t.Auth.Password = NewSecret(p)
		}
	}
	subject := strings.TrimPrefix(u.Path, "/")
	if d.URLSubject != nil {
		subject = d.URLSubject(&t, u)
	}
	return t, subject, nil
}

// scrubURL keeps a password in a malformed URL out of the error.
func scrubURL(err error) error {
	var ue *url.Error
	if e, ok := err.(*url.Error); ok {
		ue = e
		return ue.Err
	}
	return err
}

func driverForScheme(drivers []Driver, scheme string) (d Driver, secure, ok bool) {
	for _, d := range drivers {
		for _, s := range d.Schemes {
			if s.Name == scheme {
				return d, s.TLS, true
			}
		}
	}
	return Driver{}, false, false
}

func schemes(drivers []Driver) []string {
	var out []string
	for _, d := range drivers {
		for _, s := range d.Schemes {
			out = append(out, s.Name+"://")
		}
	}
	return out
}
