"""Answers like Datadog, New Relic and CloudWatch, and passes requests with a password on to Prometheus.

The first port accepts the key in the environment variable KEY. The second one accepts only another key, so
KEY is wrong there. The third one answers everything with a login page, status 200 and no data. A thread also
writes data to the real servers.
"""

from __future__ import annotations

import base64
import os
import re
import socket
import threading
import time
import urllib.error
from functools import partial

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from . import cbor, feed
from .observed import PROMETHEUS, ask, success_rate

_METHODS = ["GET", "POST"]
_HAS_WRITTEN = threading.Event()
_CLOUDWATCH = "/service/GraniteServiceVersion20100801/operation/GetMetricData"


def main() -> None:
    """Serve until SIGTERM."""
    apps = {8080: services(os.environ["KEY"]), 8081: services(os.environ["OTHER_KEY"]), 8082: login_page()}
    threading.Thread(target=feed.forever, args=(_HAS_WRITTEN,), daemon=True).start()
    config = uvicorn.Config(by_port(apps), log_level="warning", lifespan="off")
    uvicorn.Server(config).run([socket.create_server(("", port)) for port in apps])


def by_port(apps: dict[int, Starlette]) -> ASGIApp:
    """One application for each port."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await apps[scope["server"][1]](scope, receive, send)

    return app


def services(key: str) -> Starlette:
    """All services, which ask for a key."""
    routes = [
        Route("/datadog/api/v1/query", partial(datadog_v1, key=key)),
        Route("/datadog/api/v2/query/scalar", partial(datadog_v2, key=key), methods=["POST"]),
        Route("/newrelic/graphql", partial(new_relic, key=key), methods=["POST"]),
        Route(_CLOUDWATCH, partial(cloudwatch, key=key), methods=["POST"]),
        Route("/ready", ready),
        Route("/prometheus/{path:path}", partial(prometheus, key=key), methods=_METHODS),
    ]
    return Starlette(routes=routes)


def login_page() -> Starlette:
    """A login page, which a proxy shows to everybody who has not logged in."""

    async def page(_request: Request) -> Response:
        return HTMLResponse("<html><body>Please log in</body></html>")

    return Starlette(routes=[Route("/{path:path}", page, methods=_METHODS)])


def ready(request: Request) -> Response:
    """503 until the real servers have data: before, InfluxDB has no user and asks for no password."""
    return Response(str(request.scope["server"][1]), 200 if _HAS_WRITTEN.is_set() else 503)


def datadog_v1(request: Request, key: str) -> Response:
    """https://docs.datadoghq.com/api/latest/metrics/#query-timeseries-points."""
    if not _has_datadog_keys(request, key):
        return JSONResponse({"errors": ["Forbidden"]}, 403)
    rate = success_rate(*_tags(request.query_params["query"]))
    points = [] if rate is None else [{"pointlist": [[time.time() * 1000, rate]]}]
    return JSONResponse({"status": "ok", "series": points})


async def datadog_v2(request: Request, key: str) -> Response:
    """https://docs.datadoghq.com/api/latest/metrics/#query-scalar-data-across-multiple-products."""
    if not _has_datadog_keys(request, key):
        return JSONResponse({"errors": ["Forbidden"]}, 403)
    (query,) = (await request.json())["data"]["attributes"]["queries"]
    rate = await run_in_threadpool(success_rate, *_tags(query["query"]))
    column = {"name": query["name"], "type": "number", "values": [rate]}
    return JSONResponse({"data": {"type": "scalar_response", "attributes": {"columns": [column]}}})


async def new_relic(request: Request, key: str) -> Response:
    """https://docs.newrelic.com/docs/apis/nerdgraph/examples/nerdgraph-nrql-tutorial/."""
    if request.headers.get("api-key") != key:
        error = {"message": "The API key provided is invalid", "extensions": {"error_code": "BAD_API_KEY"}}
        return JSONResponse({"errors": [error]}, 401)
    nrql = (await request.json())["variables"]["query"]
    rate = await run_in_threadpool(success_rate, *re.findall(r"= '([^']+)'", nrql))
    results = [{"rate": None if rate is None else rate * 100}]
    return JSONResponse({"data": {"actor": {"account": {"nrql": {"results": results}}}}})


async def cloudwatch(request: Request, key: str) -> Response:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html."""
    if f"Credential={key}/" not in request.headers.get("authorization", ""):
        text = "The security token included in the request is invalid."
        return _cbor({"__type": "com.amazonaws.cloudwatch#InvalidClientTokenId", "message": text}, 403)
    (query,) = cbor.decode(await request.body())["MetricDataQueries"]
    dimensions = {each["Name"]: each["Value"] for each in query["MetricStat"]["Metric"]["Dimensions"]}
    rate = await run_in_threadpool(success_rate, dimensions["namespace"], dimensions["hash"])
    values = [] if rate is None else [float(rate)]
    result = {"Id": query["Id"], "Label": query["Id"], "Values": values, "StatusCode": "Complete"}
    return _cbor({"MetricDataResults": [result]}, 200)


async def prometheus(request: Request, key: str) -> Response:
    """Pass a request with the right password on to the run's Prometheus."""
    basic = "Basic " + base64.b64encode(f"firedamp:{key}".encode()).decode()
    if request.headers.get("authorization") != basic:
        return Response("Unauthorized", 401, {"WWW-Authenticate": 'Basic realm="prometheus"'})
    query = f"?{request.url.query}" if request.url.query else ""
    url, body = f"{PROMETHEUS}/{request.path_params['path']}{query}", await request.body()
    return await run_in_threadpool(_forward, request.method, url, body, request.headers.get("content-type"))


def _has_datadog_keys(request: Request, key: str) -> bool:
    return request.headers.get("dd-api-key") == request.headers.get("dd-application-key") == key


def _tags(query: str) -> tuple[str, str]:
    """The namespace and pod hash in a Datadog query."""
    match = re.search(r"\{kube_namespace:([^,]+),pod_hash:([^}]+)\}", query)
    return (match[1], match[2]) if match else ("", "")


def _cbor(value: object, status: int) -> Response:
    return Response(cbor.encode(value), status, {"smithy-protocol": "rpc-v2-cbor"}, "application/cbor")


def _forward(method: str, url: str, body: bytes, content_type: str | None) -> Response:
    headers = {"Content-Type": content_type} if content_type else {}
    try:
        with ask(url, body or None, headers, method=method) as answer:
            return Response(answer.read(), answer.status, media_type=answer.headers.get_content_type())
    except urllib.error.HTTPError as error:
        return Response(error.read(), error.code, media_type=error.headers.get_content_type())


if __name__ == "__main__":
    main()
