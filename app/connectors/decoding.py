"""Takes the content encoding off an answer, never holding more than a given number of bytes."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from app.connectors.failures import BadResponse, Transient

ACCEPTED = "gzip, deflate"
_GZIP = 16 + zlib.MAX_WBITS
_STEP = 256 * 1024


class Body:
    """The decoded body of one answer, as it arrives. `cap` counts decoded bytes; the bytes on the
    wire are held to it as well, so that an endless stream that decodes to nothing ends too.
    """

    def __init__(self, *, host: str, encoding: str, cap: int) -> None:
        self._host = host
        self._cap = cap
        self._wire = 0
        self._content = bytearray()
        self._encoding = _only_encoding(host, encoding)
        self._inflater = _inflater(self._encoding, b"")

    def feed(self, chunk: bytes) -> Iterator[int]:
        """Takes bytes from the wire, and tells after each step how many it has decoded."""
        self._wire += len(chunk)
        if self._wire > self._cap:
            raise self._too_large()
        if not self._encoding:
            self._content += chunk
            yield len(chunk)
        elif chunk:
            yield from self._inflate(chunk)

    def finish(self) -> bytes:
        """The whole body, once the connection says that it has ended."""
        if self._inflater is not None and self._wire:
            if not self._inflater.eof:
                raise Transient(f"{self._host} cut its answer off in the middle.")
            if self._inflater.unused_data:
                raise BadResponse(f"{self._host} sent more after the end of a compressed answer.")
        return bytes(self._content)

    def _inflate(self, chunk: bytes) -> Iterator[int]:
        if self._inflater is None:
            self._inflater = _inflater(self._encoding, chunk)
        assert self._inflater is not None
        if self._inflater.eof:
            raise BadResponse(f"{self._host} sent more after the end of a compressed answer.")
        while chunk and not self._inflater.eof:
            before = len(self._content)
            try:
                room = self._cap - before
                self._content += self._inflater.decompress(chunk, min(room + 1, _STEP))
            except zlib.error:
                raise BadResponse(f"{self._host} sent a damaged compressed answer.") from None
            if len(self._content) > self._cap:
                raise self._too_large()
            yield len(self._content) - before
            chunk = self._inflater.unconsumed_tail

    def _too_large(self) -> BadResponse:
        self._content.clear()  # the failure is kept for a while, with what it was raised from
        return BadResponse(f"{self._host} answered with more than {self._cap} bytes.")


def _only_encoding(host: str, header: str) -> str:
    names = [name.strip().lower() for name in header.split(",")]
    named = [name for name in names if name not in {"", "identity"}]
    if len(named) > 1:
        raise BadResponse(f"{host} compressed its answer more than once.")
    if named and named[0] not in {"gzip", "x-gzip", "deflate"}:
        raise BadResponse(f"{host} compressed its answer in a way we did not ask for.")
    return named[0] if named else ""


def _inflater(encoding: str, start: bytes) -> zlib._Decompress | None:
    """What takes `encoding` off. `deflate` is known with the first bytes only: RFC 9110 says zlib
    (RFC 1950), some servers send the bare stream (RFC 1951).
    """
    if encoding in {"gzip", "x-gzip"}:
        return zlib.decompressobj(_GZIP)
    if encoding == "deflate" and start:
        is_zlib = start[0] & 0x0F == zlib.DEFLATED and start[0] >> 4 <= 7  # noqa: PLR2004  # CINFO
        return zlib.decompressobj(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)
    return None
