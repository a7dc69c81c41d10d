//go:build fmt

package main

// With -tags fmt the process initialises what an ordinary program imports.
import (
	_ "fmt"
	_ "os"
	_ "runtime/debug"
	_ "time"
)
