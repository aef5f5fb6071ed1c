"""What gunicorn reads in this folder."""

import os

bind = f"127.0.0.1:{os.environ.get('PORT', '8000')}"
preload_app = True  # a wrong option ends gunicorn before it listens
workers, threads = 2, 16
limit_request_field_size = 131072  # a user in many groups has a long token; gunicorn's own limit is 8190


def when_ready(server):
    print(server.LISTENERS[0], flush=True)
