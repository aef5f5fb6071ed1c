"""An MCP server with FastMCP: the identity in a tool.

POMERIUM_JWT_ROUTE=https://mcp.example.com uvicorn recipes.mcp_server:application
"""

from fastmcp import FastMCP
from fastmcp.server.dependencies import get_http_request

from pomerium_jwt import require_group
from pomerium_jwt.asgi import Pomerium

mcp = FastMCP("example", mask_error_details=True)  # a refusal's message is for the log alone


def caller():
    """Who calls the tool that is running."""
    return get_http_request().scope["pomerium"]


@mcp.tool
def who_am_i() -> str:
    return caller().subject


@mcp.tool
def restart() -> str:
    require_group(caller(), "operators")  # raises: the tool's answer is an error
    return "restarted"


# Each call is a request of its own, with a token of its own: a session would outlive its token
application = Pomerium(mcp.http_app(stateless_http=True))
