"""A stand-in for any app: the same image, with the ports and probes that an environment variable describes.

It imports nothing, so that the entry point can look for the variable at no cost.
"""

VARIABLE = "FIREDAMP_STAND_IN"
"""The environment variable with the description of the app, as JSON in the form of `settings.StandIn`."""
