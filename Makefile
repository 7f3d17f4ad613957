# make test is what CI runs. It installs what it needs: PostgreSQL and Chromium (Debian), npm packages, Go modules.
LINT = go tool -modfile=tools/go.mod golangci-lint

# A first demo is mostly compiling; the databases' code without optimisation, and a compiler that collects its garbage
# less often, take 40 % off. Everything else keeps its usual flags, so that what a machine has compiled before is used.
QUICK = -ldflags='-s -w' -gcflags='modernc.org/...=-N -l -dwarf=false' -gcflags='github.com/jackc/...=-N -l -dwarf=false'

demo:             ## watch a JWT become a session, on a server of its own
	@GOGC=400 go run $(QUICK) ./cmd/countersign demo

build:            ## the binary, at bin/countersign
	go build -trimpath -o bin/countersign ./cmd/countersign

test:             ## everything that must pass: lint, races, both engines, the published clients, the dashboard
	scripts/test

lint:             ## format and lint
	$(LINT) fmt --diff
	$(LINT) run

unit:             ## the Go tests alone, on SQLite, quickly
	go test ./...

golden:           ## rewrite the golden exchanges and docs/openapi.json; the diff is the review
	go test ./internal/server -run Golden -update

fuzz:             ## every fuzz target for 30 seconds
	scripts/fuzz 30s

bench:            ## the rows of budgets, as ratios to the floor of the same run, on both engines
	scripts/postgres go run ./test/bench

run: build        ## a server on a file of its own
	bin/countersign serve --database countersign.db --log-format text

example: build    ## a page that signs people in with the published browser library
	examples/browser/run

help:             ## this list
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: demo build test lint unit golden fuzz bench run example help
