package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"iscope/probes"
)

// FileName is the name of the configuration file in a folder.
const FileName = "iscope.yaml"

// EnvVar names the environment variable that names the file.
const EnvVar = "ISCOPE_CONFIG"

// Origin says why a file was chosen.
type Origin uint8

const (
	FromNowhere Origin = iota // there is no file: the first run
	FromFlag                  // --config
	FromEnv                   // ISCOPE_CONFIG
	FromFolder                // iscope.yaml in the working directory
	FromUser                  // iscope.yaml in the user's configuration folder
)

// Location is a configuration file and how it was found.
type Location struct {
	Path   string // as to be shown; "" when there is none
	Origin Origin
}

// Trusted reports whether the file is the user's own doing: theirs by place, or
// named by them. One that merely lies in the working directory came with
// whatever was checked out there, and may not run commands.
func (l Location) Trusted() bool { return l.Origin != FromFolder }

// Find chooses the file: the one the flag names, else the one ISCOPE_CONFIG
// names, else iscope.yaml in the working directory, else iscope/iscope.yaml in
// the user's configuration folder. A named file that does not exist is an error;
// having none at all is a Location FromNowhere, with an empty Path.
func Find(flag string, getenv func(string) string) (Location, error) {
	if flag != "" {
		return named(flag, FromFlag, "--config")
	}
	if p := getenv(EnvVar); p != "" {
		return named(p, FromEnv, EnvVar)
	}
	user := UserPath(getenv)
	if ok, err := isFile(FileName); err != nil || ok {
		if sameFile(FileName, user) {
			return Location{Path: FileName, Origin: FromUser}, err
		}
		return Location{Path: FileName, Origin: FromFolder}, err
	}
	if ok, err := isFile(user); err != nil || ok {
		return Location{Path: user, Origin: FromUser}, err
	}
	return Location{}, nil
}

// UserPath is the place of the user's own file: below XDG_CONFIG_HOME where
// that is set, else where the system keeps such things. "" if there is no home.
func UserPath(getenv func(string) string) string {
	dir := getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(dir) { // the XDG specification says to ignore relative ones
		var err error
		if dir, err = os.UserConfigDir(); err != nil {
			return ""
		}
	}
	return filepath.Join(dir, "iscope", FileName)
}

func named(path string, from Origin, by string) (Location, error) {
	l := Location{Path: path, Origin: from}
	ok, err := isFile(path)
	if err == nil && !ok {
		err = unreadable(path, fs.ErrNotExist, "it is named by "+by)
	}
	return l, err
}

// isFile reports whether a file is there. A folder or anything that cannot be
// looked at is an error: silently taking the next place would hide it.
func isFile(path string) (bool, error) {
	if path == "" {
		return false, nil
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, unreadable(path, err, "")
	case info.IsDir():
		return false, unreadable(path, errors.New("it is a folder"), "name the file in it")
	}
	return true, nil
}

func sameFile(a, b string) bool {
	if b == "" {
		return false
	}
	ia, errA := os.Stat(a)
	ib, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(ia, ib)
}

func unreadable(path string, err error, hint string) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err // the path is said already
	}
	return &probes.Error{Target: path, Op: "reading the configuration", Kind: probes.ErrUsage,
		Err: err, Hint: hint}
}
