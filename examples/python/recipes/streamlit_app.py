"""Streamlit: its server is not ours to wrap, so each session verifies the token of its connection.

Streamlit runs this file only when a browser's WebSocket is open; static files and the health page are sent to anybody.
POMERIUM_JWT_ROUTE=https://app.example.com streamlit run recipes/streamlit_app.py
"""

import streamlit as st

from pomerium_jwt import Verifier, VerifyError


@st.cache_resource
def verifier():
    return Verifier.from_env()


def caller():
    """The user of this session; for anybody else the page ends here. Options such as require_group apply. Call it before
    anything reads st.session_state: anyone who names a session's id may resume it, and then finds it empty."""
    token = ",".join(st.context.headers.get_all("X-Pomerium-Jwt-Assertion"))
    known = st.session_state.get("pomerium")
    if known is None or known[0] != token:
        try:
            identity = verifier().admit(token, "", upgrade=True)
        except VerifyError as refused:
            st.error(refused.code)
            st.stop()
        if known is not None and subject(known[1]) != subject(identity):
            st.session_state.clear()
        st.session_state.pomerium = token, identity
    return st.session_state.pomerium[1]


def subject(identity):
    return identity and identity.subject


st.write(f"Hello {caller().subject}")
