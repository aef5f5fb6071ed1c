"""Gradio, mounted in a FastAPI application, which has the identity of every call.

POMERIUM_JWT_ROUTE=https://app.example.com uvicorn recipes.gradio_app:app
"""

import gradio
from fastapi import FastAPI

from pomerium_jwt.fastapi import Pomerium


def hello(name: str, request: gradio.Request):
    return f"Hello {name}, or rather {request.request.scope['pomerium'].subject}"


demo = gradio.Interface(hello, "text", "text")
app = gradio.mount_gradio_app(FastAPI(), demo, path="/")
Pomerium(app)  # last: pages, files, calls and events are verified from now on
