# The only entry points: people, README and CI all call these. `make help` lists them.

.DEFAULT_GOAL := help
.PHONY: help demo test cluster check coverage properties mutmut up down bench simulate torture hostile fuzz clients schemas freeze lock advisories fmt docs

BIN := .venv/bin
INSTALLED := .venv/.installed
COMPILE := uv pip compile --quiet --generate-hashes --universal --python-version 3.11 \
	--no-emit-index-url --no-header --no-annotate

# Where the environment forbids bytecode beside the sources, it is kept in .venv: without any, each of
# the many starts of a run compiles a thousand modules.
ifneq ($(PYTHONDONTWRITEBYTECODE),)
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX ?= $(CURDIR)/.venv/bytecode
endif

# Passed through to the programs: make torture CELLS=decider, make bench QUICK=1.
export SECURE SEEDS QUICK RECORDS SEED CELLS FIRST MISSING REPORT FROM JOBS MUTANTS COMMANDS

help: ## List the targets and the variables they take
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile

$(INSTALLED): requirements.lock pyproject.toml tools/bootstrap tools/uv.txt
	@sh tools/bootstrap

demo: $(INSTALLED) ## Show a guided example on a real broker and database (KEEP=1 leaves them running)
	@$(BIN)/refundctl demo $(if $(KEEP),--keep) $(ARGS)

test: $(INSTALLED) ## Run all tests except `cluster` (SERVICES=embedded, docker or external; SECURE=1; JOBS=3; ARGS=)
	@$(BIN)/pytest -n $(or $(JOBS),3) --dist loadfile --no-loadscope-reorder -m "not cluster" $(if $(SERVICES),--services=$(SERVICES)) $(ARGS)

cluster: $(INSTALLED) ## Run the tests on three brokers and on many processes (minutes; ARGS=)
	@$(BIN)/pytest -m cluster $(ARGS)

check: $(INSTALLED) ## Format, lint, types, import contracts, docs, fast tests
	@$(BIN)/python -m tools.check

coverage: $(INSTALLED) ## Fail unless the tests cover every branch of the pure core (JOBS=2; ARGS=)
	@$(BIN)/python -m tools.core_coverage -n $(or $(JOBS),2) --dist loadfile $(ARGS)

properties: $(INSTALLED) ## Run the property tests with random commands (COMMANDS=100000 SEED= ARGS=)
	@$(BIN)/pytest -q --timeout=0 tests/properties $(ARGS)

mutmut: $(INSTALLED) ## Try the tests on changed rules (ONLY="ledger.policies.who*"; resumes; JOBS=2)
	@PATH="$$PATH:.tools/bin" uv pip install --quiet --python $(BIN)/python \
		--require-hashes -r tools/mutmut.txt
	@nice -n 15 $(BIN)/mutmut run --max-children $(or $(JOBS),2) $(if $(ONLY),"$(ONLY)")

up: $(INSTALLED) ## Start broker, database and processes (ARGS=--sandbox)
	@$(BIN)/refundctl up $(ARGS)

down: $(INSTALLED) ## Stop everything that `up` started
	@$(BIN)/refundctl down $(ARGS)

bench: $(INSTALLED) ## Measure throughput (BENCH=a module of benchmarks/; QUICK=1; ARGS=)
	@$(BIN)/python -m benchmarks.$(or $(BENCH),whole) $(ARGS)

simulate: $(INSTALLED) ## Simulate the handlers with injected faults (SEEDS=500 JOBS=2 SEED= MUTANTS=1), or run a file (ARGS=)
	@$(if $(ARGS),$(BIN)/refundctl simulate $(ARGS),$(BIN)/python -m tests.simulation.run)

torture: $(INSTALLED) ## Inject faults into real processes (QUICK=1 CELLS= SEED= SECURE=1)
	@$(BIN)/python -m tests.torture

hostile: $(INSTALLED) ## Send mutated records among valid ones (RECORDS=100000 SEED=1 STACK=1)
	@$(BIN)/python -m tests.hostile

fuzz: $(INSTALLED) ## Ask every route of the HTTP API with made-up requests (CASES=10000 SEED=16)
	@CASES=$(or $(CASES),10000) $(BIN)/pytest -q -s --timeout=0 tests/console/web/test_fuzz.py $(ARGS)

clients: $(INSTALLED) ## Generate a Python and a TypeScript client from the HTTP API, and use them (needs npm)
	@PATH="$$PATH:.tools/bin" uv venv --quiet --clear --python $(BIN)/python .tools/clients/python
	@PATH="$$PATH:.tools/bin" uv pip install --quiet --python .tools/clients/python/bin/python \
		--require-hashes -r tools/clients.txt
	@cp tests/console/web/clients/package.json tests/console/web/clients/package-lock.json .tools/clients/
	@cd .tools/clients && npm ci --silent --no-audit --no-fund
	@$(BIN)/pytest -q tests/console/web/test_clients.py $(ARGS)

schemas: $(INSTALLED) ## Write the Avro schemas of changed commands and events
	@$(BIN)/python -m ledger.wire.avro.schema_derivation

freeze: $(INSTALLED) ## Freeze the schemas of a release permanently
	@$(BIN)/python -m tools.freeze

lock: ## Resolve the dependencies again (ARGS=--upgrade; needs uv on the PATH)
	@$(COMPILE) --all-extras --group dev pyproject.toml --output-file requirements.lock $(ARGS)
	@$(COMPILE) pyproject.toml --constraints requirements.lock --output-file tools/image.txt $(ARGS)
	@$(COMPILE) --extra console pyproject.toml --constraints requirements.lock --output-file tools/console.txt $(ARGS)
	@$(COMPILE) --group build --constraints requirements.lock --output-file tools/build.txt $(ARGS)
	@$(COMPILE) tools/uv.in --output-file tools/uv.txt $(ARGS)
	@$(COMPILE) tools/mutmut.in --constraints requirements.lock --output-file tools/mutmut.txt $(ARGS)
	@$(COMPILE) tools/clients.in --output-file tools/clients.txt $(ARGS)
	@$(COMPILE) tools/advisories.in --constraints requirements.lock --output-file tools/advisories.txt $(ARGS)

advisories: $(INSTALLED) ## Look up the locked packages in the public advisories; fail if one is unknown
	@PATH="$$PATH:.tools/bin" uv pip install --quiet --python $(BIN)/python \
		--require-hashes -r tools/advisories.txt
	@$(BIN)/pip-audit --strict --disable-pip --requirement requirements.lock $(ARGS)

fmt: $(INSTALLED) ## Format the code and apply the fixes of the linter
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .

docs: $(INSTALLED) ## Regenerate the reference pages
	@$(BIN)/python -m tools.docs
