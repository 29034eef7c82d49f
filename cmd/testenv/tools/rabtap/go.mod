module testenv/rabtap

go 1.26.0

tool github.com/jandelgado/rabtap/cmd/rabtap

require (
	github.com/docopt/docopt-go v0.0.0-20180111231733-ee0de3bc6815 // indirect
	github.com/expr-lang/expr v1.17.8 // indirect
	github.com/fatih/color v1.19.0 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/jandelgado/rabtap v1.45.0 // indirect
	github.com/klauspost/compress v1.18.6 // indirect
	github.com/lmittmann/tint v1.1.3 // indirect
	github.com/mattn/go-colorable v0.1.15 // indirect
	github.com/mattn/go-isatty v0.0.22 // indirect
	github.com/rabbitmq/amqp091-go v1.11.0 // indirect
	github.com/stealthrocket/net v0.2.1 // indirect
	golang.org/x/net v0.55.0 // indirect
	golang.org/x/sync v0.20.0 // indirect
	golang.org/x/sys v0.45.0 // indirect
)
