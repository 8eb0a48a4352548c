"""`GET /v1/docs`: the OpenAPI document as a page, which needs no script and no other host."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from console.web.pages.rendering import page

router = APIRouter(tags=["pages"], include_in_schema=False)


@router.get("/v1/docs")
def reference(request: Request) -> HTMLResponse:
    """Every route with its parameters, an example and its answers; then the schemas."""
    document = request.app.openapi()
    operations = [
        _operation(method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    schemas = [(name, _shown(schema)) for name, schema in document["components"]["schemas"].items()]
    return page(
        request, "lists/reference.html", document=document, operations=operations, schemas=schemas
    )


def _operation(method: str, path: str, operation: dict[str, Any]) -> dict[str, Any]:
    contents = operation.get("requestBody", {}).get("content", {}).values()
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "path": path,
        "summary": operation.get("summary", ""),
        "description": operation.get("description", ""),
        "parameters": operation.get("parameters", ()),
        "examples": [
            each["value"] if isinstance(each["value"], str) else _shown(each["value"])
            for content in contents
            for each in content.get("examples", {}).values()
        ],
        "answers": list(operation["responses"].items()),
    }


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
