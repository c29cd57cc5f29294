"""The OpenAPI 3.1 document, made from the route table: what is described is there, and the other way round."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from agent_console import permissions
from agent_console.api_shapes import EditProfile, Failure
from agent_console.routes import BASE, ID_PATTERN, NoQuery, Route

_REF = "#/components/schemas/{name}"
_JSON = "application/json"
VERSION = "1"
Json = dict[str, Any]


def document(routes: Iterable[Route], *, title: str, cookie: str, tiers: Iterable[str] = ()) -> Json:
    """Return the document of a route table.

    `cookie` is the session's name, `tiers` are the values a customer's tier may take in this hub.
    """
    table = list(routes)
    shapes = _shapes(table)
    schemas, components = msgspec.json.schema_components(shapes, ref_template=_REF)
    known = dict(zip(shapes, schemas, strict=True))
    _tighten(components, tiers)
    paths: dict[str, Json] = {}
    for route in table:
        paths.setdefault(BASE + route.path, {})[route.method.lower()] = _operation(route, known, components)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": VERSION, "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"session": {"type": "apiKey", "in": "cookie", "name": cookie}},
        },
    }


_ABOUT = (
    "The console's API. Sign in with `POST /api/v1/session`; the session is a cookie. Unsafe methods need the header "
    "`Origin` with the hub's own address, and `Content-Type: application/json` (uploads: `application/octet-stream` "
    "and `X-Hub: 1`). Instants are milliseconds since 1970-01-01 UTC."
)


def _shapes(table: list[Route]) -> list[type]:
    found: dict[type, None] = {Failure: None}
    for route in table:
        for shape in (route.answer, route.body):
            if shape is not None:
                found[shape] = None
    return list(found)


def _tighten(components: Mapping[str, Json], tiers: Iterable[str]) -> None:
    """Say what types alone do not: an edit changes something, and a tier is one of this hub's."""
    edit = components.get(EditProfile.__name__)
    if edit is not None:
        edit["minProperties"] = 1
        edit["properties"]["tier"] = {"enum": ["", *tiers]}
    for schema in components.values():
        if "ok" in schema.get("properties", {}) and "ok" not in schema.get("required", []):
            schema.setdefault("required", []).append("ok")


def _operation(route: Route, known: Mapping[type, Json], components: Json) -> Json:
    operation: Json = {
        "summary": route.summary,
        "operationId": _operation_id(route),
        "parameters": [*_path_parameters(route), *_query_parameters(route), *_header_parameters(route)],
        "responses": {
            "200": {"description": "Done.", "content": {route.produces: {"schema": _answered(route, known)}}},
            **{status: _failure(text) for status, text in _FAILURES.items()},
        },
    }
    roles = permissions.ROUTES[route.name]
    if roles is not None:
        operation["security"] = [{"session": []}]
        operation["description"] = f"For {', '.join(sorted(roles))}."
    if route.is_upload:
        schema = {"type": "string", "format": "binary"}
        operation["requestBody"] = {"required": True, "content": {"application/octet-stream": {"schema": schema}}}
    elif route.body is not None:
        operation["requestBody"] = {"required": True, "content": {_JSON: {"schema": known[route.body]}}}
    del components
    return operation


def _answered(route: Route, known: Mapping[type, Json]) -> Json:
    return {"type": "string"} if route.page is not None else known[route.answer]


_FAILURES = {
    "400": "Something in the request is off.",
    "401": "Nobody is signed in.",
    "403": "Not allowed, or not sent by the hub's own pages.",
    "404": "It does not exist, or not for this person.",
    "409": "Things have moved on.",
    "413": "Too large.",
    "415": "Of a type that is not taken.",
    "429": "Too often; try again later.",
    "503": "For a moment not possible.",
}


def _failure(text: str) -> Json:
    return {"description": text, "content": {_JSON: {"schema": {"$ref": _REF.format(name=Failure.__name__)}}}}


def _operation_id(route: Route) -> str:
    words = re.sub(r"[^a-z]+", "_", route.path.replace("{id}", "one")).strip("_")
    return f"{route.method.lower()}_{words}"


def _path_parameters(route: Route) -> list[Json]:
    if "{id}" not in route.path:
        return []
    return [{"name": "id", "in": "path", "required": True, "schema": {"type": "string", "pattern": ID_PATTERN}}]


def _query_parameters(route: Route) -> list[Json]:
    if route.query is NoQuery:
        return []
    _, components = msgspec.json.schema_components([route.query], ref_template=_REF)
    schema = components[route.query.__name__]
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _without_null(shape)}
        for name, shape in schema["properties"].items()
    ]


def _without_null(schema: Json) -> Json:
    """Return a parameter's schema: one that is not given is not there, there is no null in a query."""
    if "anyOf" in schema:
        return dict(next(part for part in schema["anyOf"] if part.get("type") != "null"))
    return {key: value for key, value in schema.items() if key != "default" or value is not None}


def _header_parameters(route: Route) -> list[Json]:
    if not route.is_upload:
        return []
    return [{"name": "X-Hub", "in": "header", "required": True, "schema": {"const": "1"}}]
