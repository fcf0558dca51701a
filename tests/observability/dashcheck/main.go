// dashcheck FILE.json...: reads Grafana dashboards strictly, by the types of the Foundation SDK; a line for each
// file. Exit: 0 all are good, 1 one is not. What the SDK takes although it is wrong (a misspelt `expr`) is looked
// for by profile_test.py.
package main

import (
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func check(file string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var read dashboard.Dashboard
	if err := told(read.UnmarshalJSONStrict(content)); err != nil {
		return err
	}
	return told(read.Validate())
}

// What the SDK finds nothing wrong with it answers by an error, too: one with nothing in it.
func told(err error) error {
	if err != nil && err.Error() == "" {
		return nil
	}
	return err
}

func main() {
	plugins.RegisterDefaultPlugins()
	status := 0
	for _, file := range os.Args[1:] {
		if err := check(file); err != nil {
			fmt.Printf("%s: %v\n", file, err)
			status = 1
		} else {
			fmt.Printf("%s: ok\n", file)
		}
	}
	os.Exit(status)
}
