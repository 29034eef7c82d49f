package httpapi

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A document that is a local file may be split over several. The others are put
// into its tree below filesKey, and references are rewritten to lead there, so
// that everything else knows one tree only.
const (
	filesKey = "x-iscope-files"
	maxFiles = 1000
)

// files are the local files that a document refers to.
type files struct {
	root part
	main string
	open map[string]*file // by cleaned path
	todo []*file          // read, not walked
	size int64
}

// file is one of them.
type file struct {
	name string // relative to the document's folder
	path string
	tree any
	err  error
}

func newFiles(main string, root part) *files {
	return &files{root: root, main: filepath.Clean(main), open: map[string]*file{}}
}

func (f *files) next() (*file, bool) {
	if len(f.todo) == 0 {
		return nil, false
	}
	first := f.todo[0]
	f.todo = f.todo[1:]
	return first, true
}

// localize rewrites a reference found in a file (nil: the document) into one
// within the tree, or says why not.
func (f *files) localize(ref string, from *file) (local, why string) {
	if strings.HasPrefix(ref, "#/"+filesKey+"/") {
		return ref, "" // a part that YAML's merge keys put into two places
	}
	place, fragment, _ := strings.Cut(ref, "#")
	path := f.main
	if from != nil {
		path = from.path
	}
	if place != "" {
		if strings.Contains(place, "://") || strings.HasPrefix(place, "//") || filepath.IsAbs(place) {
			return "", "leads to another document, which is not followed"
		}
		path = filepath.Join(filepath.Dir(path), filepath.FromSlash(unescapeFragment(place)))
	}
	if path == f.main {
		return "#" + fragment, ""
	}
	to := f.get(path)
	if to.err != nil {
		return "", "cannot be read: " + to.err.Error()
	}
	if fragment != "" && !strings.HasPrefix(fragment, "/") {
		return "", "leads to an anchor in another file, which is not followed"
	}
	return "#/" + filesKey + "/" + escapePointer(to.name) + fragment, ""
}

// get reads a file once. Only files that are named like documents are read.
func (f *files) get(path string) *file {
	if have := f.open[path]; have != nil {
		return have
	}
	n := &file{name: path, path: path}
	if rel, err := filepath.Rel(filepath.Dir(f.main), path); err == nil {
		n.name = filepath.ToSlash(rel)
	}
	f.open[path] = n
	n.tree, n.err = f.read(path)
	if n.err != nil {
		return n
	}
	all := objectIn(f.root, filesKey)
	if all == nil {
		all = part{}
		f.root[filesKey] = all
	}
	all[n.name] = n.tree
	f.todo = append(f.todo, n)
	return n
}

func (f *files) read(path string) (any, error) {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".json", ".yaml", ".yml":
	default:
		return nil, errors.New("it is named neither .json nor .yaml")
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if f.size += info.Size(); !info.Mode().IsRegular() || f.size > maxDocument || len(f.open) > maxFiles {
		return nil, fmt.Errorf("a document takes at most %d regular files of together %d MiB", maxFiles, maxDocument>>20)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	tree, _, broken, err := parseTree(text)
	if err == nil && broken != nil {
		err = errors.New(broken.String())
	}
	return tree, err
}
