"""Bounds that follow from the manifests of the sample app and what a trial takes for convergence."""

from __future__ import annotations

from fixtures.judge.bounds import lasting, reconciled
from fixtures.trial.trial import CONVERGENCE_SECONDS

# `failureLimit` of its success-rate.
FAILURE_LIMIT = 1
# The controller counts `progressDeadlineSeconds` from its last progress, the creation of a ReplicaSet.
PODS = lasting("progressDeadlineSeconds", 30) + reconciled()
CONVERGED = lasting("convergence", CONVERGENCE_SECONDS)
