package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"iscope/probes"
	"iscope/replay/request"
	"iscope/replay/request/imports"
)

type importOpts struct {
	to     string
	stdout bool
}

func importCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import",
		Short: "turn curl commands, HAR files and Postman collections into saved requests",
		Long: `import reads calls that other tools have written down and writes them as saved
requests for iscope run. Secrets become variables that are read from the
environment. What could not be taken over is listed, and in the files as well.`,
		Example: `  iscope import curl - <<< "curl -d '{}' https://api.example.com/orders"
  iscope import har session.har --to requests/session.yaml
  iscope import postman collection.json --to requests`,
		Args: noArgs,
		RunE: noArgs,
	}
	for _, kind := range []struct {
		name, short string
		read        func(io.Reader, string) (*imports.Result, error)
	}{
		{"curl", "curl command lines", imports.Curl},
		{"har", "an HTTP archive (HAR 1.2) of a browser or proxy", imports.HAR},
		{"postman", "a Postman collection (v2.0, v2.1)", imports.Postman},
	} {
		var o importOpts
		sub := &cobra.Command{Use: kind.name + " FILE|-", Short: kind.short, Args: args(1, 1),
			RunE: func(cmd *cobra.Command, args []string) error { return a.imported(cmd.Context(), args[0], o, kind.read) }}
		sub.Flags().StringVar(&o.to, "to", "requests", "`folder` for the files, or the name of one for all")
		sub.Flags().BoolVar(&o.stdout, "stdout", false, "print the requests instead of writing files")
		sub.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveDefault
		}
		cmd.AddCommand(sub)
	}
	return cmd
}

// noArgs is for verbs that have verbs of their own.
func noArgs(cmd *cobra.Command, got []string) error {
	var names []string
	for _, c := range cmd.Commands() {
		names = append(names, c.Name())
	}
	if len(got) == 0 {
		return usageError(cmd, fmt.Errorf("say what: %s", strings.Join(names, ", ")))
	}
	return &probes.Error{Op: "reading the command line", Kind: probes.ErrUsage, Err: fmt.Errorf("%q is nothing to %s", got[0], cmd.Name()),
		Hint: probes.NearestHint(got[0], names)}
}

// importText is the JSON of one file that was written.
type importText struct {
	Kind     string   `json:"kind"` // "request"
	File     string   `json:"file,omitempty"`
	Name     string   `json:"name"`
	Calls    int      `json:"calls"`
	Secrets  []string `json:"secrets,omitempty"`
	Left     []string `json:"left_out,omitempty"`
	Document string   `json:"document,omitempty"`
}

func (a *app) imported(_ context.Context, path string, o importOpts, read func(io.Reader, string) (*imports.Result, error)) error {
	src := io.Reader(a.in)
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return &probes.Error{Target: path, Op: "importing", Kind: probes.ErrUsage, Err: err}
		}
		defer f.Close()
		src = f
	}
	res, err := read(src, path)
	if err != nil {
		return err
	}
	incomplete := len(res.Left) > 0
	for _, left := range res.Left {
		a.warn("left out: %s", a.policy.Text(left))
	}
	for _, f := range res.Files {
		for i := range f.Requests {
			one := &f.Requests[i]
			one.Request = a.maskTemplate(one)
			for j, c := range one.Comment {
				one.Comment[j] = a.policy.Text(c)
			}
			for j := range one.Variables {
				v := &one.Variables[j]
				masked := a.maskCall(request.Request{Params: []probes.Attr{*v}}, &probes.Method{}, byName)
				if masked.Params[0].Value != v.Value {
					v.Value = "${env:" + strings.ToUpper(v.Name) + "}"
				}
			}
			incomplete = incomplete || len(one.Comment) > 0
		}
		if err := a.writeImport(&f, o); err != nil {
			return err
		}
	}
	if incomplete {
		return &probes.Error{Target: path, Op: "importing", Kind: probes.ErrIncomplete,
			Err: fmt.Errorf("not everything could be taken over"), Hint: "the files say what is missing in lines that begin with #"}
	}
	return nil
}

// maskTemplate masks what was imported. What is a variable already stays one.
func (a *app) maskTemplate(s *request.Saved) request.Request {
	r := a.maskCall(s.Request, &probes.Method{}, byName)
	if !s.Template {
		return r
	}
	for i, h := range s.Header {
		if strings.Contains(h.Value, "{{") {
			r.Header[i].Value = h.Value
		}
	}
	for i, p := range s.Params {
		if strings.Contains(p.Value, "{{") {
			r.Params[i].Value = p.Value
		}
	}
	return r
}

func (a *app) writeImport(f *imports.File, o importOpts) error {
	out := importText{Kind: "request", Name: f.Name, Calls: len(f.Requests)}
	for i := range f.Requests {
		for _, c := range f.Requests[i].Comment {
			out.Left = append(out.Left, f.Requests[i].Name+": "+c)
		}
	}
	if o.stdout {
		text, secrets := request.Emit(f.Name, f.Requests)
		if a.json() {
			out.Document, out.Secrets = string(text), secrets
			return a.printJSON(out)
		}
		_, err := fmt.Fprint(a.out, block(string(text))+"\n")
		return err
	}
	var err error
	out.File = filepath.Join(o.to, filepath.FromSlash(f.Path)+".yaml")
	if ext := filepath.Ext(o.to); ext == ".yaml" || ext == ".yml" {
		out.File = o.to
	}
	if out.Secrets, err = request.Write(out.File, f.Name, f.Requests); err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(out)
	}
	fmt.Fprintf(a.out, "%s  %d calls\n", line(out.File), out.Calls)
	for _, s := range out.Secrets {
		fmt.Fprintf(a.out, "  secret: set %s\n", line(strings.ToUpper(s)))
	}
	for _, l := range out.Left {
		fmt.Fprintf(a.out, "  left out: %s\n", line(l))
	}
	return nil
}
