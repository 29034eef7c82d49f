package main

import (
	"strings"
	"testing"
)

func TestManifestsBelongSomewhere(t *testing.T) {
	values := map[string]string{"port": "20001", "proxy": "20002", "upstream": "20003"}
	for _, file := range []string{"shop.yaml", "istio.yaml", "sidecar.yaml", "linkerd.yaml"} {
		list, err := manifests(file, values)
		if err != nil || len(list) == 0 {
			t.Fatalf("%s: %d manifests, %v", file, len(list), err)
		}
		earlier := map[string]bool{}
		for _, m := range list {
			name := m.path[strings.LastIndex(strings.TrimSuffix(m.path, "/status"), "/")+1:]
			name = strings.TrimSuffix(name, "/status")
			if !strings.Contains(m.yaml, "kind: ") || !strings.Contains(m.yaml, "name: "+name) && !strings.Contains(m.yaml, `name: "`+name+`"`) {
				t.Errorf("%s: the object for %s is another", file, m.path)
			}
			for _, part := range strings.Split(m.yaml, "${")[1:] {
				value, _, _ := strings.Cut(part, "}")
				if path, ok := strings.CutPrefix(value, "uid "); !ok || !earlier[path] {
					t.Errorf("%s: nothing before %s stands for ${%s}", file, m.path, value)
				}
			}
			earlier[m.path] = true
		}
	}
}

func TestSplitManifests(t *testing.T) {
	list, err := splitManifests("# a file\n---\n# api/v1/namespaces/a\nkind: Namespace\n---\n# api/v1/nodes/n\n# a word\nkind: Node\n")
	if err != nil || len(list) != 2 || list[0] != (manifest{"api/v1/namespaces/a", "kind: Namespace"}) || list[1].path != "api/v1/nodes/n" {
		t.Errorf("%q, %v", list, err)
	}
	if _, err := splitManifests("# a file\n---\nkind: Namespace\n"); err == nil || !strings.Contains(err.Error(), "kind: Namespace") {
		t.Errorf("a manifest without a path: %v", err)
	}
}

func TestDefinitionsAreFoundByName(t *testing.T) {
	const file = `# generated
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  annotations:
    helm.sh/resource-policy: keep
  labels: {app: x}
  name: as.example.com
spec:
  names:
    name: no
---
###
### second
###
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: bs.example.com
---
`
	list, err := crdManifests(file)
	if err != nil || len(list) != 2 {
		t.Fatalf("%q, %v", list, err)
	}
	const base = "apis/apiextensions.k8s.io/v1/customresourcedefinitions/"
	if list[0].path != base+"as.example.com" || list[1].path != base+"bs.example.com" || !strings.Contains(list[1].yaml, "kind: ") {
		t.Errorf("%q", list)
	}
	if _, err := crdManifests("apiVersion: a\nkind: CustomResourceDefinition\nmetadata:\n  labels: {}\n"); err == nil {
		t.Error("a definition without a name passes")
	}
}

func TestTemplateLinesGo(t *testing.T) {
	const chart = "metadata:\n  name: a\n  annotations:\n    {{ include \"x\" . }}\n  labels:\n    ns: {{.Values.namespace}}\nspec:\n  group: g\n"
	if got, want := withoutTemplates(chart), "metadata:\n  name: a\nspec:\n  group: g\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
