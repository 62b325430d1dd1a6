"""Sends open-loop load by Locust in a subprocess, records the requests and computes statistics on them."""
