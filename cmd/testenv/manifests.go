package main

import (
	"embed"
	"fmt"
	"strings"
)

// manifestFiles are beside the pins, not below tools/: a change in them must not
// cost a build of kube-apiserver.
//
//go:embed manifests
var manifestFiles embed.FS

// manifest is one Kubernetes object and where it is applied.
type manifest struct {
	path string // below the server's address, without a leading slash
	yaml string
}

// manifests reads a file of embedded manifests. ${name} stands for a value.
func manifests(file string, values map[string]string) ([]manifest, error) {
	content, err := manifestFiles.ReadFile("manifests/" + file)
	if err != nil {
		return nil, err
	}
	text := string(content)
	for name, value := range values {
		text = strings.ReplaceAll(text, "${"+name+"}", value)
	}
	return splitManifests(text)
}

// splitManifests takes documents that begin with a comment that says where they
// belong. What precedes the first separator is about the file.
func splitManifests(text string) (list []manifest, err error) {
	_, text, _ = strings.Cut(text, "\n---\n")
	for doc := range strings.SplitSeq(text, "\n---\n") {
		first, body, _ := strings.Cut(doc, "\n")
		path, ok := strings.CutPrefix(first, "# ")
		if !ok || !strings.HasPrefix(path, "api") {
			return nil, fmt.Errorf("a manifest begins with %q, want its path as a comment", first)
		}
		list = append(list, manifest{path, body})
	}
	return list, nil
}

// crdManifests finds the definitions in a file as projects publish it: documents
// without a path, named by their metadata.
func crdManifests(text string) (list []manifest, err error) {
	for doc := range strings.SplitSeq("\n"+text, "\n---") {
		if !strings.Contains(doc, "\nkind: CustomResourceDefinition\n") {
			continue
		}
		_, meta, _ := strings.Cut(doc, "\nmetadata:\n")
		_, name, found := strings.Cut("\n"+meta, "\n  name: ")
		if !found {
			return nil, fmt.Errorf("a definition without a name: %.80q", doc)
		}
		name, _, _ = strings.Cut(name, "\n")
		list = append(list, manifest{"apis/apiextensions.k8s.io/v1/customresourcedefinitions/" + strings.TrimSpace(name), doc})
	}
	return list, nil
}
