"""serve.py MODULE [hypercorn]: the ASGI application `application` of a module here, under uvicorn. PORT is the port."""

import asyncio
import logging
import os
import socket
import sys
from importlib import import_module


def under_uvicorn():
    import uvicorn

    # A user in many groups has a long token; uvicorn's own limit is 65,536 bytes for all headers
    options = {"h11_max_incomplete_event_size": 131072, "log_config": None, "access_log": False}
    uvicorn.run(application, fd=listener.fileno(), **options)


def under_hypercorn():
    import hypercorn
    from hypercorn.asyncio import serve

    config = hypercorn.Config()
    config.bind = f"fd://{listener.fileno()}"
    config.h11_max_incomplete_size = 131072  # as above; hypercorn's own limit is 16,384 bytes
    asyncio.run(serve(application, config))


logging.basicConfig(level=logging.INFO)
application = import_module(sys.argv[1]).application
listener = socket.create_server(("127.0.0.1", int(os.environ.get("PORT", "8000"))), backlog=2048)
print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
under_hypercorn() if sys.argv[2:] == ["hypercorn"] else under_uvicorn()
