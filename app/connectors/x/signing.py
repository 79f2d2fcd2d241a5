"""How a request to X proves whose it is: by a bearer token, or signed by a user's token and the
app's key (OAuth 1.0a, RFC 5849).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote, urlencode

from authlib.oauth1 import ClientAuth

from app.connectors.x.account import Credential

Params = Sequence[tuple[str, str]]
Sign = Callable[[str, str, Params], Mapping[str, str]]
"""From a token, an address and its parameters, the headers of a GET."""


def signer_of(credential: Credential) -> Sign:
    """With the secret of a token each request is signed; without it the token is a bearer's."""
    if not credential.token_secret:
        return _bear
    signed = ClientAuth(
        credential.api_key,
        credential.api_secret,
        token=credential.access_token,
        token_secret=credential.token_secret,
    )

    def sign(_token: str, url: str, params: Params) -> Mapping[str, str]:
        # Authlib adds nonce and time itself; X refuses a time that is minutes off its own.
        whole = f"{url}?{urlencode(params, quote_via=quote)}" if params else url
        _, headers, _ = signed.sign("GET", whole, {}, b"")
        return {"Authorization": str(headers["Authorization"])}

    return sign


def _bear(token: str, _url: str, _params: Params) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {token}"}
