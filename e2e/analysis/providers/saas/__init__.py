"""Stand-ins for services that cannot run here, and what feeds the real servers; runs in a pod.

Everything is answered from the Prometheus of the run, so that verdicts come from real traffic.
"""
