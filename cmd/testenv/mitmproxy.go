package main

import (
	"context"
	"os"
	"path/filepath"
)

// mitmproxy is the recording proxy that iscope's is measured against. Its
// "binary" is mitmdump, the one of its programs without a screen.
func mitmproxy() *server {
	return &server{
		name: "mitmproxy", version: "11.0.2", profile: peers, tool: "mitmproxy", disk: 160,
		needs: []string{"python3"}, builds: []string{"pip3"}, packages: []string{"python3", "python3-pip"},
		build: buildMitmproxy, binary: inCache("mitmdump"),
	}
}

// mitmdump takes the place of the start script in the package, which holds the
// absolute path of where it was installed at first.
const mitmdump = `#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
PYTHONPATH="$here/libs" PYTHONDONTWRITEBYTECODE=1 exec python3 -c 'from mitmproxy.tools.main import mitmdump; mitmdump()' "$@"
`

func buildMitmproxy(ctx context.Context, b *builder) error {
	if err := pipInstall(ctx, b); err != nil {
		return err
	}
	script := filepath.Join(b.dir, "mitmdump")
	if err := os.WriteFile(script, []byte(mitmdump), 0o755); err != nil {
		return err
	}
	// The pins were made with one version of Python; another may lack a package.
	return b.run(ctx, b.dir, nil, script, "--version")
}
