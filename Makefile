VENV ?= .venv
PYTEST = "$(VENV)/bin/python" -m pytest
UV ?= uv
COMPILE = $(UV) pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --quiet

.DEFAULT_GOAL := help
.PHONY: help fast lint test-long leaks acceptance bench openapi package sbom constraints

help: ## list every task
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

fast: ## tests that take seconds; stops at the first failure
	$(PYTEST) -m "not slow and not long and not acceptance" -x -q -n 2

lint: ## style, types and the direction of imports
	"$(VENV)/bin/ruff" check .
	"$(VENV)/bin/ruff" format --check .
	"$(VENV)/bin/mypy" --strict twin_api
	"$(VENV)/bin/lint-imports"

test-long: ## random and crash tests, many rounds
	$(PYTEST) -m long

leaks: ## every proof of separation, and every planted leak; prints which proof caught it
	TWIN_ALL_LEAKS=1 $(PYTEST) tests/leaks -q -s

acceptance: ## the use cases from end to end, on real data
	$(PYTEST) -m acceptance

bench: ## answer times, throughput, and how fast files flow in
	"$(VENV)/bin/python" bench/run.py
	"$(VENV)/bin/python" -m bench.imports

openapi: ## write the OpenAPI document of each role to openapi/
	"$(VENV)/bin/twin" openapi --write openapi

package: ## wheel and source archive to dist/
	"$(VENV)/bin/python" -m hatchling build -d dist

sbom: ## what Twin API runs with, as CycloneDX, to dist/
	"$(VENV)/bin/python" deploy/sbom.py dist/twin-api.cdx.json

constraints: ## pin versions and hashes anew; `make constraints UPGRADE=--upgrade` takes the newest
	@command -v "$(UV)" >/dev/null || { echo "uv is needed to pin versions: pip install uv, or make constraints UV=<path>" >&2; exit 1; }
	$(COMPILE) $(UPGRADE) --extra build --extra test pyproject.toml -o constraints/test.txt
	cp constraints/test.txt constraints/run.txt
	$(COMPILE) --extra build pyproject.toml -o constraints/run.txt
	$(COMPILE) --group serve --constraint constraints/run.txt -o constraints/serve.txt
