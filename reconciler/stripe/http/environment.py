"""Find the proxy and the certificate authorities in the variables that other clients read."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from ...diagnostics.codes import service
from ...diagnostics.errors import ServiceError
from ...trusted_url import is_loopback

_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""The first that is set counts, as in requests, curl and httpx; only the last may be a list."""


def find_ca_bundle(environ: Mapping[str, str]) -> str | None:
    """Return the file or folders of certificates that the environment names; None without one.

    Folders are separated as in PATH, which OpenSSL reads.

    Raises ServiceError (S013) for one that cannot be used, before anything is sent.
    """
    for name in _VARIABLES:
        if given := environ.get(name):
            paths = given.split(os.pathsep) if name == "SSL_CERT_DIR" else [given]
            found = [path for path in paths if os.path.exists(path)]
            if not found:
                raise _refuse(name, given, "which does not exist")
            if os.path.isdir(found[0]):
                return os.pathsep.join(filter(os.path.isdir, found))
            _check_file(name, found[0])
            return found[0]
    return None


def _check_file(name: str, path: str) -> None:
    import ssl  # heavy, and rarely needed here

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError:
        raise _refuse(name, path, "which holds no certificate in PEM format") from None
    except OSError as error:
        raise _refuse(name, path, f"which cannot be read: {error.strerror}") from None


def _refuse(name: str, path: str, why: str) -> ServiceError:
    hint = f"correct {name}, or unset it to use the certificate authorities of certifi"
    return ServiceError(service.CA_BUNDLE(f"{name} is {path[:300]!r}, {why}", hint=hint))


def find_proxy(base: str) -> str | None:
    """Return the address of the proxy for an API, as requests takes it from the environment.

    It may contain a password. None without one, and for loopback.
    """
    if is_loopback(base) or not _may_have_proxy():  # to import requests takes 100 ms
        return None
    from requests.utils import get_environ_proxies, select_proxy

    return select_proxy(base, get_environ_proxies(base)) or None


def _may_have_proxy() -> bool:
    """Whether a proxy is set, for whatever addresses."""
    if sys.platform == "darwin":
        from urllib.request import getproxies  # those of the system; imports http.client

        return bool(getproxies())
    names = (name.lower() for name, value in os.environ.items() if value)
    return any(name.endswith("_proxy") and name != "no_proxy" for name in names)


def hide_password(proxy: str) -> str:
    """Return the address of a proxy without user and password."""
    if "@" not in proxy:
        return proxy
    scheme, separator, _ = proxy.partition("://")
    return f"{scheme if separator else 'http'}://{proxy.rpartition('@')[2]}"
