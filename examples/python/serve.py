"""serve.py MODULE: the ASGI application `application` of a module here, under uvicorn. PORT is the port."""

import logging
import os
import socket
import sys
from importlib import import_module

import uvicorn

logging.basicConfig(level=logging.INFO)
application = import_module(sys.argv[1]).application
listener = socket.create_server(("127.0.0.1", int(os.environ.get("PORT", "8000"))), backlog=2048)
print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
# A user in many groups has a long token; uvicorn's own limit is 65,536 bytes for all headers
options = {"h11_max_incomplete_event_size": 131072, "log_config": None, "access_log": False}
uvicorn.run(application, fd=listener.fileno(), **options)
