// SPDX-License-Identifier: GPL-2.0-only

// Closes one connection in a goroutine, after it has said which of its functions does that in which line, as drop.c
// does; SO_LINGER is set on the line before. Then lives until its stdin ends.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"reflect"
	"runtime"
)

func say(name string, function interface{}, lines int) {
	_, _, line, _ := runtime.Caller(1)
	fmt.Printf("%s %#x %d\n", name, reflect.ValueOf(function).Pointer(), line+lines)
}

//go:noinline
func drop(connection net.Conn) {
	say("main.drop", drop, 2)
	connection.(*net.TCPConn).SetLinger(0)
	connection.Close()
}

//go:noinline
func serve(connection net.Conn, done chan bool) {
	say("main.serve", serve, 1)
	drop(connection)
	done <- true
}

func main() {
	done := make(chan bool)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		panic(err)
	}
	connection, err := listener.Accept()
	if err != nil {
		panic(err)
	}
	go serve(connection, done)
	<-done
	fmt.Println("done 0 0")
	io.ReadAll(os.Stdin)
	client.Close()
}
