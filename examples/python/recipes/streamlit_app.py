"""Streamlit: its server is not ours to wrap, so each session verifies its own token, once, when it opens.

Streamlit runs this file only when a browser's WebSocket is open; static files and the health page are sent to anybody.
POMERIUM_JWT_ROUTE=https://app.example.com streamlit run recipes/streamlit_app.py
"""

import streamlit as st

from pomerium_jwt import Verifier, VerifyError


@st.cache_resource
def verifier():
    return Verifier.from_env()


def caller():
    """The user of this session; for anybody else the page ends here. Options such as require_group apply."""
    if "pomerium" not in st.session_state:
        token = ",".join(st.context.headers.get_all("X-Pomerium-Jwt-Assertion"))
        try:
            st.session_state.pomerium = verifier().admit(token, "", upgrade=True)
        except VerifyError as refused:
            st.error(refused.code)
            st.stop()
    return st.session_state.pomerium


st.write(f"Hello {caller().subject}")
