# Two commands are enough: `make run` starts the demo on http://127.0.0.1:8080, `make test` runs every test.
# A benchmark is a module under tests/bench that can be run; those named relay_* are what it runs against.
BENCH = $(shell grep -ls '__name__ == "__main__"' tests/bench/*.py tests/bench/*/*.py | grep -v /relay_)

.PHONY: run test check bench clean

run:
	@.ci/bootstrap run
	@.venv/bin/hub demo

test:
	@.ci/bootstrap test
	.venv/bin/pytest -n 2 --dist loadfile

check:
	@.ci/bootstrap check
	.venv/bin/ruff check . && .venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports && .venv/bin/python -m tests.meta.vendored
	PATH="$(CURDIR)/.venv/bin:$$PATH" npm --prefix tests/browser run --silent check

bench:
	@.ci/bootstrap test
	for file in $(BENCH); do .venv/bin/python -m $$(echo $${file%.py} | tr / .) || exit 1; done

clean:
	rm -rf .venv .venv-bootstrap tests/browser/node_modules var dist
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .grimp_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
