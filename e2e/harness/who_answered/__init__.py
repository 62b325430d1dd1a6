"""Checks who answered, as the gateway tells, against what the sample API says of itself."""
