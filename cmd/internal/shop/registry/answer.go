package registry

import (
	"errors"
	"fmt"
	"net/http"
)

// answerError is an error with the HTTP status and the text that Consul answers.
type answerError struct {
	code int
	text string
}

func (e *answerError) Error() string { return e.text }

// refused is a mistake of the caller.
func refused(format string, args ...any) error {
	return &answerError{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// unknown is about something that is not registered.
func unknown(format string, args ...any) error {
	return &answerError{http.StatusNotFound, fmt.Sprintf(format, args...)}
}

// fail answers a write as Consul does: a line of text, or nothing.
func fail(w http.ResponseWriter, err error) {
	var known *answerError
	switch {
	case err == nil:
		w.WriteHeader(http.StatusOK)
	case errors.As(err, &known):
		http.Error(w, known.text, known.code)
	default:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}
