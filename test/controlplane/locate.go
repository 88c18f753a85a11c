// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const modulePath = "github.com/medblocks/webhook-operator"

// programs are the paths of what a control plane consists of.
type programs struct {
	etcd, apiServer, controllerManager, kubectl string
}

// locate fills in the options' defaults and finds the programs.
func (c *ControlPlane) locate() (err error) {
	if c.options.RepositoryRoot == "" {
		if c.options.RepositoryRoot, err = findRepository(); err != nil {
			return err
		}
	}
	if c.options.CRDDirectory == "" {
		c.options.CRDDirectory = filepath.Join(c.options.RepositoryRoot, "config", "crd", "bases")
	}
	if c.options.AttachOutput != nil {
		c.options.AttachOutput = &lockedWriter{w: c.options.AttachOutput}
	}
	c.programs, err = findPrograms(c.options)
	return err
}

// findRepository looks from the working directory upwards. The path of this source file would be no help: a binary that
// was built with -trimpath does not know it.
func findRepository() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the repository: %w", err)
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if isModule(filepath.Join(dir, "go.mod")) {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("find the repository: no go.mod of %s in %s or above; run this from the checkout", modulePath, start)
		}
	}
}

func isModule(goMod string) bool {
	file, err := os.Open(goMod)
	if err != nil {
		return false
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) == 2 && fields[0] == "module" {
			return fields[1] == modulePath
		}
	}
	return false
}

func findPrograms(options Options) (found programs, err error) {
	var dirs []string
	if assets := os.Getenv("KUBEBUILDER_ASSETS"); assets != "" {
		dirs = append(dirs, assets)
	}
	dirs = append(dirs, filepath.Join(options.RepositoryRoot, "bin", "k8s"))

	wanted := map[string]*string{"etcd": &found.etcd, "kube-apiserver": &found.apiServer, "kubectl": &found.kubectl}
	if options.ControllerManager {
		wanted["kube-controller-manager"] = &found.controllerManager
	}
	for name, path := range wanted {
		if *path, err = findProgram(name, dirs); err != nil {
			return programs{}, err
		}
	}
	return found, nil
}

func findProgram(name string, dirs []string) (string, error) {
	for _, dir := range dirs {
		path, err := filepath.Abs(filepath.Join(dir, name))
		if err != nil {
			return "", fmt.Errorf("find %s: %w", name, err)
		}
		switch info, err := os.Stat(path); {
		case err == nil && info.Mode().IsRegular():
			return path, nil
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return "", fmt.Errorf("find %s: %w", name, err)
		}
	}
	return "", fmt.Errorf("%s is not in %s: run `make controlplane`, or set KUBEBUILDER_ASSETS to a folder that has it",
		name, strings.Join(dirs, " or "))
}
