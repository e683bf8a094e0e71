# Twinset: `make demo` shows it, `make test` tests it. Needs Rust 1.95, gcc and make on Linux.
#
#   make demo          the whole path and a failover, step by step, with doubles of SQL Server
#   make drill         failovers with two real agents; every promise is looked at afterwards
#   make test          every test; says first which ones it skips
#   make check         formatting, lints and documentation, warnings denied
#   make test-mutations  breaks Twinset in listed ways; a spec must notice each (takes long)
#   make test-postgres  the shared catalog against a real PostgreSQL server
#   make test-stores   object stores: starts SeaweedFS, Ceph, Azurite and doubles on loopback
#   make test-tape     tapes with the kernel's own driver, in a virtual machine (installs qemu)
#   make test-clients  independent TDS clients against the double
#   make test-windows  cross-builds for Windows, and runs that under Wine against the double
#   make bench         Twinset beside mbuffer, b3sum, dd and a bare reader, release build
#   make clean         removes the target folder

CARGO ?= cargo
# Real backup files of SQL Server, which the project may not carry.
TWINSET_CORPUS ?= $(abspath ../shared/corpus)
export TWINSET_CORPUS
# Arguments for the benchmark, such as BENCH="--pairs 3 --only verify".
BENCH ?=

target := $(or $(CARGO_TARGET_DIR),target)

.PHONY: demo drill test check test-postgres test-stores test-tape test-clients test-windows test-mutations bench \
	build clean

build:
	$(CARGO) build --workspace --locked

demo: build
	$(target)/debug/twinset-lab demo

drill: build
	$(target)/debug/twinset-lab drill

# The build comes first: tests load the plugins and libraries that lie in the target folder.
test: build
	@tests/needs-corpus
	$(CARGO) test --workspace --locked --no-fail-fast

check:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- --deny warnings
	RUSTDOCFLAGS="--deny warnings" $(CARGO) doc --workspace --no-deps --locked

# Starts servers of its own from the Debian package `postgresql`; fails without it.
test-postgres: build
	$(CARGO) test --workspace --test postgres --locked --no-fail-fast

test-clients: build
	TWINSET_LAB=$(abspath $(target))/debug/twinset-lab tests/run-clients

test-tape: build
	tests/run-tape

# Arguments for the specs, such as STORES="stores::kills --nocapture".
STORES ?=

test-stores: build
	tests/run-stores $(STORES)

# Installs Debian's compiler, mingw and Wine; everything it makes lies in target/windows.
test-windows: build
	TWINSET_LAB=$(abspath $(target))/debug/twinset-lab tests/run-windows

test-mutations:
	tests/run-mutations

bench:
	$(CARGO) build --release --locked -p twinset -p twinset-disk -p twinset-tape -p twinset-bench \
		-p twinset-tests -p twinset-sqlvdi -p twinset-fault-device
	$(target)/release/twinset-bench $(BENCH)

clean:
	$(CARGO) clean
