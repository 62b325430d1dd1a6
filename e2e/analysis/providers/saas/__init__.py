"""Stand-ins for services that cannot run here, and a feed of data for the real servers; runs in a pod.

All answers come from the Prometheus of the run, so the verdicts are about real traffic.
"""
