"""Dash: who is calling is flask's, for Dash runs in a Flask application.

POMERIUM_JWT_ROUTE=https://app.example.com gunicorn recipes.dash_app:server
"""

from dash import Dash, Input, Output, dcc, html

from pomerium_jwt.flask import Pomerium, current_identity

app = Dash(__name__)
app.layout = html.Div([dcc.Input(id="name"), html.Div(id="hello")])


@app.callback(Output("hello", "children"), Input("name", "value"))
def hello(value):
    return f"Hello {value}, or rather {current_identity.subject}"


server = app.server
Pomerium(server)  # last: pages, assets and callbacks are verified from now on
