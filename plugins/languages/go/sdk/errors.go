package parshall

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// ConfigError says that the configuration is wrong, and where.
type ConfigError struct {
	Pointer string // JSON Pointer to the wrong value
	Message string
	Help    string // what to do about it, or nothing
}

func (e ConfigError) Error() string { return e.Message }

// SchemaError says that a column does not fit.
type SchemaError struct {
	Column  string // its name, or nothing
	Message string
}

func (e SchemaError) Error() string { return e.Message }

// DataError says that the data is wrong and no single row can be rejected for it.
type DataError string

func (e DataError) Error() string { return string(e) }

// UnavailableError says that something outside did not answer; the same call may succeed later.
type UnavailableError string

func (e UnavailableError) Error() string { return string(e) }

// readConfig is json.Unmarshal with unknown settings refused and every mistake told where it is.
func readConfig(text string, config any) error {
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(config)
	var wrongType *json.UnmarshalTypeError
	switch {
	case err == nil || errors.Is(err, io.EOF):
		return nil
	case errors.As(err, &wrongType):
		pointer := "/" + strings.ReplaceAll(wrongType.Field, ".", "/")
		return ConfigError{Pointer: pointer, Message: "expected " + wrongType.Type.String() + ", found " + wrongType.Value}
	}
	if _, name, found := strings.Cut(err.Error(), "unknown field "); found {
		var unquoted string
		if json.Unmarshal([]byte(name), &unquoted) != nil {
			unquoted = strings.Trim(name, `"`)
		}
		escaped := strings.NewReplacer("~", "~0", "/", "~1").Replace(unquoted)
		return ConfigError{Pointer: "/" + escaped, Message: "there is no such setting"}
	}
	return ConfigError{Message: err.Error()}
}
