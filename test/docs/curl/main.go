// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command curl stands in for the program of that name on a machine that has none, so that the pages' commands can be tried there too.
// It knows what the pages use of it: an address and -s, -S, -f, -i, -X, -H and -d.
package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/pflag"
)

// The exit codes of curl that matter here.
const (
	exitUsage   = 2
	exitConnect = 7
	exitStatus  = 22
	exitEmpty   = 52
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, out, errs io.Writer) int {
	flags := pflag.NewFlagSet("curl", pflag.ContinueOnError)
	flags.BoolP("silent", "s", false, "")
	flags.BoolP("show-error", "S", false, "")
	fail := flags.BoolP("fail", "f", false, "")
	include := flags.BoolP("include", "i", false, "")
	method := flags.StringP("request", "X", "", "")
	headers := flags.StringArrayP("header", "H", nil, "")
	data := flags.StringP("data", "d", "", "")
	if err := flags.Parse(args); err != nil || flags.NArg() != 1 {
		_, _ = fmt.Fprintf(errs, "curl: (%d) one address, and no flags but -s -S -f -i -X -H -d: %v\n", exitUsage, err)
		return exitUsage
	}
	request, err := newRequest(*method, flags.Arg(0), *data, *headers)
	if err != nil {
		_, _ = fmt.Fprintf(errs, "curl: (%d) %v\n", exitUsage, err)
		return exitUsage
	}
	response, err := http.DefaultTransport.RoundTrip(request) // As curl: redirects are not followed.
	if err != nil {
		return failed(errs, err)
	}
	defer func() { _ = response.Body.Close() }()
	if *fail && response.StatusCode >= http.StatusBadRequest {
		_, _ = fmt.Fprintf(errs, "curl: (%d) The requested URL returned error: %d\n", exitStatus, response.StatusCode)
		return exitStatus
	}
	if *include {
		_, _ = fmt.Fprintf(out, "%s %s\r\n", response.Proto, response.Status)
		_ = response.Header.Write(out)
		_, _ = fmt.Fprint(out, "\r\n")
	}
	if _, err := io.Copy(out, response.Body); err != nil {
		return failed(errs, err)
	}
	return 0
}

func newRequest(method, address, data string, headers []string) (*http.Request, error) {
	if method == "" && data != "" {
		method = http.MethodPost
	}
	request, err := http.NewRequest(method, address, strings.NewReader(data))
	if err != nil {
		return nil, err
	}
	if data != "" {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, header := range headers {
		name, value, found := strings.Cut(header, ":")
		if !found {
			return nil, fmt.Errorf("-H %q has no colon", name)
		}
		request.Header.Set(name, strings.TrimSpace(value))
	}
	return request, nil
}

// failed tells the two ways apart in which a page expects no answer.
func failed(errs io.Writer, err error) int {
	if errors.Is(err, io.EOF) || strings.Contains(err.Error(), "malformed HTTP") { // a connection that was cut within the first line
		_, _ = fmt.Fprintf(errs, "curl: (%d) Empty reply from server\n", exitEmpty)
		return exitEmpty
	}
	_, _ = fmt.Fprintf(errs, "curl: (%d) %v\n", exitConnect, err)
	return exitConnect
}
