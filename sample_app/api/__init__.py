"""The payments API, as it runs in its container: `python -m api` in the folder that holds version.json.

It imports nothing of Firedamp: the image holds this package, Starlette, uvicorn, h2
and prometheus-client only.
"""
