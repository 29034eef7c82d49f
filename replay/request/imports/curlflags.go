package imports

import (
	"errors"
	"fmt"
	"strings"
)

// shortFlags are curl's short options by letter. The name begins with = where
// the option takes a value.
func shortFlags() map[byte]string {
	return map[byte]string{
		'X': "=request", 'H': "=header", 'd': "=data", 'F': "=form", 'u': "=user", 'b': "=cookie", 'A': "=user-agent", 'e': "=referer",
		'k': "insecure", 'L': "location", 'G': "get", 'I': "head", 'm': "=max-time", 'T': "=upload-file", 'E': "=cert", 'x': "=proxy",
		'o': "=output", 'O': "remote-name", 's': "silent", 'S': "show-error", 'v': "verbose", 'i': "include", 'f': "fail", 'w': "=write-out",
		'c': "=cookie-jar", 'D': "=dump-header", 'g': "globoff", '#': "progress-bar", 'N': "no-buffer", 'K': "=config", 'r': "=range",
		'y': "=speed-time", 'Y': "=speed-limit", 'z': "=time-cond", 'C': "=continue-at", 'U': "=proxy-user", 'Q': "=quote", 'P': "=ftp-port",
		't': "=telnet-option", 'n': "netrc", 'q': "disable", 'R': "remote-time", 'J': "remote-header-name", 'Z': "parallel", '4': "ipv4",
		'6': "ipv6", '0': "http1.0", '1': "tlsv1", '2': "sslv2", '3': "sslv3", 'a': "append", 'B': "use-ascii", 'j': "junk-session-cookies",
		'l': "list-only", 'M': "manual", 'p': "proxytunnel", 'h': "=help", 'V': "version",
	}
}

// valued are the long options that take a value, of those that HTTP needs.
const valued = ` request header data data-ascii data-binary data-raw data-urlencode url-query json form form-string user oauth2-bearer cookie
 user-agent referer url max-redirs max-time cacert capath cert cert-type key key-type pass upload-file proxy output write-out cookie-jar
 dump-header config range connect-timeout resolve connect-to retry retry-delay retry-max-time interface dns-servers limit-rate max-filesize
 proto proto-default proto-redir socks5 socks5-hostname socks4 socks4a unix-socket abstract-unix-socket ciphers tls13-ciphers tls-max
 pinnedpubkey proxy-user proxy-header noproxy aws-sigv4 speed-time speed-limit time-cond continue-at stderr trace trace-ascii crlfile curves
 expect100-timeout happy-eyeballs-timeout-ms hsts alt-svc keepalive-time local-port netrc-file output-dir engine etag-save etag-compare
 doh-url dns-interface dns-ipv4-addr dns-ipv6-addr delegation login-options preproxy random-file egd-file service-name sasl-authzid rate
 parallel-max create-file-mode variable ech ip-tos vlan-priority libcurl mail-from mail-rcpt krb `

// printing are options that say how curl prints, or what iscope does anyhow.
const printing = ` silent show-error verbose include fail fail-with-body fail-early progress-bar no-progress-meter no-buffer compressed
 styled-output no-styled-output trace-time disable parallel tcp-nodelay no-keepalive show-headers `

func listed(list, name string) bool {
	for word := range strings.FieldsSeq(list) {
		if word == name {
			return true
		}
	}
	return false
}

// flags reads the words behind "curl".
func (c *curl) flags(all []word) error {
	for i := 0; i < len(all); i++ {
		w := all[i]
		c.vars = c.vars || w.vars
		if w.ran {
			c.note("a command or an expression of the shell was not run: %s", w.text)
		}
		value := func() (string, error) {
			if i++; i >= len(all) {
				return "", fmt.Errorf("%s has no value", w.text)
			}
			c.vars = c.vars || all[i].vars
			if all[i].ran {
				c.note("a command or an expression of the shell was not run: %s", all[i].text)
			}
			return all[i].text, nil
		}
		switch {
		case strings.HasPrefix(w.text, "--") && len(w.text) > 2:
			if err := c.long(w.text[2:], value); err != nil {
				return err
			}
		case strings.HasPrefix(w.text, "-") && len(w.text) > 1:
			if err := c.short(w.text[1:], value); err != nil {
				return err
			}
		case w.text == "":
			return errors.New("an empty word stands for a URL")
		default:
			c.urls = append(c.urls, w.text)
		}
	}
	return nil
}

func (c *curl) long(name string, value func() (string, error)) error {
	if !listed(valued, name) {
		if !listed(printing, name) {
			c.apply(name, "")
		}
		return nil
	}
	v, err := value()
	if err == nil {
		c.apply(name, v)
	}
	return err
}

// short reads letters that are joined: -sSL, -XPOST, -d@file.
func (c *curl) short(letters string, value func() (string, error)) error {
	for i := range len(letters) {
		name, ok := shortFlags()[letters[i]]
		if !ok {
			return fmt.Errorf("curl has no option -%c", letters[i])
		}
		bare, takes := strings.CutPrefix(name, "=")
		if !takes {
			if !listed(printing, bare) {
				c.apply(bare, "")
			}
			continue
		}
		v := letters[i+1:]
		if v == "" {
			var err error
			if v, err = value(); err != nil {
				return err
			}
		}
		c.apply(bare, v)
		return nil
	}
	return nil
}
