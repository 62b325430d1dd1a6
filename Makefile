# Two commands from a fresh checkout: `make demo` and `make test`. Everything else is in docs/suite.md and `firedamp --help`.
VENV := .venv
PYTHON ?= python3
# native, or kind
CLUSTER ?= native
SCENARIOS := $(addprefix e2e/,baseline canary bluegreen analysis operations regressions)
# Tests side by side; 0 has them one after the other, in one process.
WORKERS ?= auto

# The output folders of the runs that `make red` takes in, oldest first.
RUNS ?= firedamp-out

.PHONY: demo test test-all scenarios docs reference red mutations compared screenshots lint setup clean

demo: setup
	$(VENV)/bin/firedamp demo --provider $(CLUSTER)

# What everybody runs before each commit: linters, unit tests, and the few scenarios that touch every part.
test: setup lint
	$(VENV)/bin/python -m pytest -n $(WORKERS) --dist loadgroup --smoke $(PYTEST_ARGS)

# Every test there is.
test-all: setup lint
	$(VENV)/bin/python -m pytest -n $(WORKERS) --dist loadgroup $(PYTEST_ARGS)

# What a new version of Argo Rollouts or Istio has to show: the scenarios on one provider, and nothing of the harness.
scenarios: setup
	$(VENV)/bin/python -m pytest -n $(WORKERS) --dist loadgroup --cluster-provider $(CLUSTER) $(SCENARIOS) $(PYTEST_ARGS)

# The pages that are made from the last run.
docs: setup
	$(VENV)/bin/python -m fixtures.timeline.pages docs/timeline.md
	$(VENV)/bin/python -m fixtures.plugin.pages firedamp-out docs

# The pages that are made from the code and from records: the API reference, the rules of `firedamp check`, the
# invariants, the stand-in's metrics, the words of repro files, the form of cards, and the versions that were tested.
reference: setup
	$(VENV)/bin/python -m fixtures.docs.reference docs/api
	$(VENV)/bin/python -m fixtures.check.pages docs/rules
	$(VENV)/bin/python -m fixtures.judge.invariants.pages docs/invariants.md
	$(VENV)/bin/python -m fixtures.apps.standin.pages docs/stand-in.md
	$(VENV)/bin/python -m fixtures.repro.pages docs/repro.md
	$(VENV)/bin/python -m fixtures.repro.schema docs/repro.schema.json
	$(VENV)/bin/python -m fixtures.rehearsal.cards.schema docs/rehearsal.schema.json
	$(VENV)/bin/firedamp versions page

# Which tests were red in these runs, and so are in every `make test` until they were green five times.
red: setup
	$(VENV)/bin/python -m fixtures.plugin.red e2e/recently_red.json $(RUNS)

# Plants faults and sees that the suite notices; half an hour.
mutations: setup
	$(VENV)/bin/python -m e2e.mutations

# Plants faults in a controller, and sees that `firedamp compare` finds and names each; 40 minutes.
compared: setup
	$(VENV)/bin/python -m e2e.mutations.compared

# The pictures in the docs, of the last demo and the last run of pytest; needs Chromium.
screenshots: setup
	$(VENV)/bin/python -m e2e.screenshots firedamp-out/demo docs/pictures --second 58 --index firedamp-out/index.html

lint: setup
	$(VENV)/bin/ruff check --quiet .
	$(VENV)/bin/ruff format --check --quiet .
	$(VENV)/bin/mypy

setup: $(VENV)/.installed

# Exactly what the lock file says, with every checksum verified.
$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --require-hashes -r requirements.lock
	$(VENV)/bin/pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

clean:
	rm -rf $(VENV) firedamp-out
