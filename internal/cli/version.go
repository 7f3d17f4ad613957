package cli

import (
	"runtime"
	"runtime/debug"

	"github.com/countersign-auth/countersign"
)

type versionCommand struct {
	jsonFlag
}

// Help teaches the command.
func (versionCommand) Help() string {
	return `Say it in a report: which release, which commit, which Go, which system.

    countersign version --json`
}

// build is what the linker knows of this binary.
type build struct {
	Version  string `json:"version"`  // "(devel)" outside of a release
	Revision string `json:"revision"` // "" if not built from a repository
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func buildVersion() build {
	b := build{Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if info.Main.Version != "" {
		b.Version = info.Main.Version
	}
	dirty := false
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.modified":
			dirty = s.Value == "true"
		}
	}
	if dirty && b.Revision != "" {
		b.Revision += "+dirty"
	}
	return b
}

// Run prints the version.
func (c *versionCommand) Run(a *app) error {
	raw, err := countersign.EncodeJSON(buildVersion())
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, b build) {
		t.field("countersign", b.Version)
		t.field("revision", b.Revision)
		t.field("go", b.Go)
		t.field("platform", b.Platform)
	})
}
