package registry

import (
	"context"
	"net/url"
	"strings"

	"iscope/inspectors/schema"
)

// SplitURL takes the address of one version of a schema apart, as the registry's
// API has it: REGISTRY/subjects/SUBJECT/versions/VERSION, where the version is a
// number or "latest". ok is false for all other addresses.
func SplitURL(address string) (registry, subject, version string, ok bool) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return "", "", "", false
	}
	path := strings.Split(strings.Trim(strings.TrimSuffix(u.EscapedPath(), "/schema"), "/"), "/")
	n := len(path)
	if n < 4 || path[n-4] != "subjects" || path[n-2] != "versions" {
		return "", "", "", false
	}
	if subject, err = url.PathUnescape(path[n-3]); err != nil {
		return "", "", "", false
	}
	u.Path, u.RawPath, u.RawQuery, u.Fragment = strings.Join(path[:n-4], "/"), "", "", ""
	return u.String(), subject, path[n-1], true
}

// Version gets one version of a subject with all it refers to. It blocks until it
// has them, for up to fifteen seconds, and keeps nothing.
func (c *Client) Version(ctx context.Context, subject, version string) (schema.Source, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	_, src, err := c.source(ctx, wanted{what: "version " + version + " of subject " + subject,
		path: "/subjects/" + url.PathEscape(subject) + "/versions/" + url.PathEscape(version)})
	return src, err
}
