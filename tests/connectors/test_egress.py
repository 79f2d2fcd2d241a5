"""The address guard: what is refused before a socket is opened, and what is dialled."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import httpcore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.clock import FrozenClock
from app.connectors.addresses import is_public, parse_address, parse_allow
from app.connectors.egress import AddressRefused, SocketOption, parse_url
from app.connectors.failures import BadResponse, ConnectorError, Transient
from app.connectors.http import Door
from tests.connectors.hostile_urls import HOSTILE, MISREAD, NAMES, NOT_PUBLIC, literal

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
PUBLIC = "93.184.215.14"


class Recorder(httpcore.AsyncNetworkBackend):
    """Opens nothing and remembers what it was asked to dial; the last step before a socket."""

    def __init__(self) -> None:
        self.dialled: list[tuple[str, int]] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # the signature is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.dialled.append((host, port))
        raise httpcore.ConnectError("recorded")


class Names:
    """A resolver that knows `answers`, and takes the last of them for every other name."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        if host in NAMES:
            return NAMES[host]
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def door_to(recorder: Recorder, names: Names, *allow: str) -> Door:
    return Door(
        allow=allow,
        clock=FrozenClock(NOW),
        user_agent="unanswered/test",
        resolver=names,
        dialler=recorder,
    )


async def attempt(url: str, *allow: str, resolves_to: Sequence[str] = (PUBLIC,)) -> Recorder:
    """Requests `url`; the recorder tells what would have been dialled."""
    recorder = Recorder()
    with pytest.raises(ConnectorError):
        await door_to(recorder, Names(resolves_to), *allow).for_source().request("GET", url)
    return recorder


def test_there_are_enough_hostile_urls() -> None:
    assert len(set(HOSTILE)) == len(HOSTILE)
    assert len(HOSTILE) >= 150


@pytest.mark.parametrize("url", HOSTILE)
async def test_a_hostile_url_opens_no_socket(url: str) -> None:
    assert (await attempt(url)).dialled == []
    assert (await attempt(url, resolves_to=["127.0.0.1"])).dialled == []


@pytest.mark.parametrize("url", MISREAD)
def test_a_misleading_url_is_refused_as_it_is_read(url: str) -> None:
    with pytest.raises(AddressRefused):
        parse_url(url)


@pytest.mark.parametrize("address", NOT_PUBLIC)
async def test_no_name_leads_to_an_address_that_is_not_public(address: str) -> None:
    assert (await attempt("https://a.example/", resolves_to=[PUBLIC, address])).dialled == []
    with pytest.raises(AddressRefused, match="UNANSWERED_ALLOW_NETWORKS"):
        door_to(Recorder(), Names([PUBLIC])).check_url(literal(address))


async def test_what_is_dialled_is_the_vetted_address_and_not_the_name() -> None:
    assert (await attempt("https://a.example/")).dialled == [(PUBLIC, 443)]
    assert (await attempt(f"https://{PUBLIC}/")).dialled == [(PUBLIC, 443)]
    assert (await attempt("https://A.Example:443/x?y=z")).dialled == [(PUBLIC, 443)]
    assert (await attempt("https://bücher.example/")).dialled == [(PUBLIC, 443)]
    assert (await attempt("https://xn--bcher-kva.example/")).dialled == [(PUBLIC, 443)]
    six = "2606:2800:21f:cb07::1"
    assert (await attempt(f"https://[{six}]/")).dialled == [(six, 443)]


async def test_the_next_address_is_tried_where_one_does_not_answer() -> None:
    many = [f"93.184.215.{last}" for last in range(1, 10)]
    recorder = await attempt("https://a.example/", resolves_to=many)
    assert recorder.dialled == [(address, 443) for address in many[:4]]


async def test_a_name_that_changes_its_answer_is_vetted_at_every_connection() -> None:
    recorder, names = Recorder(), Names([PUBLIC], ["127.0.0.1"])
    http = door_to(recorder, names).for_source()
    with pytest.raises(Transient):
        await http.request("GET", "https://rebinding.example/")
    with pytest.raises(AddressRefused):
        await http.request("GET", "https://rebinding.example/")
    assert names.asked == ["rebinding.example"] * 2
    assert recorder.dialled == [(PUBLIC, 443)]


async def test_a_name_without_an_address_is_a_passing_failure() -> None:
    async def silent(host: str, port: int) -> Sequence[str]:
        raise OSError("no such name")

    for resolver in (silent, Names([])):
        recorder = Recorder()
        door = Door(clock=FrozenClock(NOW), user_agent="x", resolver=resolver, dialler=recorder)
        with pytest.raises(Transient, match=r"a\.example could not be resolved"):
            await door.for_source().request("GET", "https://a.example/")
        assert recorder.dialled == []


@pytest.mark.parametrize(
    ("allow", "url", "resolves_to", "dialled"),
    [
        ("127.0.0.0/8", "http://127.0.0.1:8000/", PUBLIC, ("127.0.0.1", 8000)),
        ("::1", "http://[::1]:3000/", PUBLIC, ("::1", 3000)),
        ("[::1]", "https://[::1]/", PUBLIC, ("::1", 443)),
        ("10.1.2.3", "https://a.lan:8443/", "10.1.2.3", ("10.1.2.3", 8443)),
        ("10.1.2.0/24", "http://a.lan/", "10.1.2.3", ("10.1.2.3", 80)),
        ("gitlab.lan", "http://gitlab.lan/", "10.1.2.3", ("10.1.2.3", 80)),
        (" GitLab.lan ", "http://gitlab.LAN:99/", "::1", ("::1", 99)),
        ("gitlab.lan", "http://gitlab.lan/", PUBLIC, (PUBLIC, 80)),
        ("169.254.169.254", "http://169.254.169.254/", PUBLIC, ("169.254.169.254", 80)),
    ],
)
async def test_what_is_listed_is_reached_by_any_scheme_and_port(
    allow: str, url: str, resolves_to: str, dialled: tuple[str, int]
) -> None:
    assert (await attempt(url, allow, resolves_to=[resolves_to])).dialled == [dialled]


@pytest.mark.parametrize(
    ("allow", "url", "resolves_to"),
    [
        ("10.1.2.0/24", "http://a.lan/", "10.1.3.1"),
        ("10.1.2.0/24", "http://a.example/", PUBLIC),
        ("gitlab.lan", "https://www.gitlab.lan/", "10.1.2.3"),
        ("gitlab.lan", "https://10.1.2.3/", "10.1.2.3"),
        ("gitlab.lan", "http://gitlab.lan/", "169.254.169.254"),
        ("gitlab.lan", "http://gitlab.lan/", "::ffff:169.254.169.254"),
        ("gitlab.lan", "http://gitlab.lan/", "192.0.0.192"),
        ("gitlab.lan", "http://gitlab.lan/", "100.100.100.200"),
        ("gitlab.lan", "http://gitlab.lan/", "169.254.170.2"),
        ("gitlab.lan", "http://gitlab.lan/", "fd00:ec2::254"),
        ("0.0.0.0/0", "http://169.254.169.254/", PUBLIC),
        ("::1", "http://[0:0:0:0:0:0:0:1]/", PUBLIC),
        ("::/0", "http://[fd00:ec2::254]/", PUBLIC),
        ("127.0.0.0/8", "http://[::ffff:127.0.0.1]/", PUBLIC),
    ],
)
async def test_what_is_listed_opens_nothing_else(allow: str, url: str, resolves_to: str) -> None:
    assert (await attempt(url, allow, resolves_to=[resolves_to])).dialled == []


async def test_one_host_and_port_can_be_permitted_alone() -> None:
    recorder = Recorder()
    door = door_to(recorder, Names(["127.0.0.1"]))
    door.allow_exactly("127.0.0.1", 8931)
    for url in ("http://127.0.0.1:8931/", "http://127.0.0.1:8932/", "http://a.example:8931/"):
        with pytest.raises(ConnectorError):
            await door.for_source().request("GET", url)
    assert recorder.dialled == [("127.0.0.1", 8931)]


@pytest.mark.parametrize(
    "entry",
    [
        *("", "10.1.2.3/24", "10.0.0.0/33", "300.1.1.1", "127.1", "https://a.lan", "a.lan:80"),
        *("*.lan", "a b", "::1/129", "[::1", "user@a.lan", "0x7f000001"),
    ],
)
def test_a_bad_entry_of_the_list_is_named(entry: str) -> None:
    with pytest.raises(ValueError, match="UNANSWERED_ALLOW_NETWORKS") as caught:
        parse_allow(["127.0.0.1", entry])
    assert repr(entry) in str(caught.value)


def test_a_url_can_be_checked_before_it_is_saved() -> None:
    names = Names([PUBLIC])
    door = door_to(Recorder(), names, "gitlab.lan")
    assert door.check_url("https://a.example/api").host == "a.example"
    assert door.check_url("http://gitlab.lan:8080/").port == 8080
    for url in ("http://a.example/", "https://a.example:8443/", "https://10.0.0.1/"):
        with pytest.raises(AddressRefused, match="UNANSWERED_ALLOW_NETWORKS"):
            door.check_url(url)
    assert names.asked == []


@PATIENT
@given(st.integers(0, 2**32 - 1))
def test_public_ipv4_is_never_wider_than_the_standard_library_says(number: int) -> None:
    address = IPv4Address(number)
    if is_public(address):
        assert address.is_global
        assert not any([address.is_multicast, address.is_reserved, address.is_private])


@PATIENT
@given(st.integers(0, 2**128 - 1) | st.integers(2**125, 2**126 - 1))
def test_public_ipv6_is_never_wider_than_the_standard_library_says(number: int) -> None:
    address = IPv6Address(number)
    if is_public(address):
        assert address.is_global
        assert not any([address.is_multicast, address.is_reserved, address.is_site_local])
        assert not any([address.ipv4_mapped, address.sixtofour, address.teredo])


@PATIENT
@given(st.text(st.characters(exclude_categories=())))
def test_reading_a_url_only_refuses(text: str) -> None:
    for url in (text, f"https://{text}", f"https://a.example/{text}"):
        try:
            target = parse_url(url)
        except AddressRefused:
            continue
        assert target.host.isascii()
        assert parse_address(target.host) or "." in target.host or target.host.isprintable()


async def test_a_redirect_to_loopback_is_not_followed() -> None:
    reached: list[bytes] = []

    async def inner(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.append(await reader.read(100))
        writer.close()

    async def outer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        there = f"http://127.0.0.1:{secret.sockets[0].getsockname()[1]}/"
        head = f"HTTP/1.1 302 Found\r\nlocation: {there}\r\ncontent-length: 0\r\n\r\n"
        writer.write(head.encode())
        await writer.drain()
        writer.close()

    secret = await asyncio.start_server(inner, "127.0.0.1", 0)
    public = await asyncio.start_server(outer, "127.0.0.1", 0)
    async with secret, public:
        door = Door(allow=["127.0.0.0/8"], clock=FrozenClock(NOW), user_agent="x")
        url = f"http://127.0.0.1:{public.sockets[0].getsockname()[1]}/"
        with pytest.raises(BadResponse, match="redirects are not followed"):
            await door.for_source().request("GET", url)
        await door.aclose()
    assert reached == []


@asynccontextmanager
async def tls_server(folder: Path, name: str) -> AsyncIterator[tuple[int, list[str], Path]]:
    """Serves `{}` as `name`; yields its port, the names and hosts it was asked for, its CA."""
    seen: list[str] = []
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    today = datetime.now(UTC)  # a certificate is judged by the machine's clock
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "both.pem"
    pem.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.sni_callback = lambda _socket, asked, _context: seen.append(f"sni {asked}")

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower().splitlines()
        seen.extend(line for line in head if line.startswith("host:"))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1], seen, pem


async def test_name_and_host_are_kept_though_an_address_is_dialled(tmp_path: Path) -> None:
    async with tls_server(tmp_path, "gitlab.lan") as (port, seen, authority):
        door = Door(
            allow=["gitlab.lan", "other.lan"],
            clock=FrozenClock(NOW),
            user_agent="x",
            resolver=Names(["127.0.0.1"]),
            tls=ssl.create_default_context(cafile=authority),
        )
        answer = await door.for_source().request("GET", f"https://gitlab.lan:{port}/")
        assert answer.json() == {}
        assert seen == ["sni gitlab.lan", f"host: gitlab.lan:{port}"]
        with pytest.raises(Transient, match=r"certificate of other\.lan was not accepted"):
            await door.for_source().request("GET", f"https://other.lan:{port}/")
        await door.aclose()


async def test_an_unknown_authority_is_named_as_the_cause(tmp_path: Path) -> None:
    async with tls_server(tmp_path, "gitlab.lan") as (port, _seen, _authority):
        door = Door(
            allow=["gitlab.lan"],
            clock=FrozenClock(NOW),
            user_agent="x",
            resolver=Names(["127.0.0.1"]),
        )
        with pytest.raises(Transient, match=r"certificate of gitlab\.lan was not accepted: self"):
            await door.for_source().request("GET", f"https://gitlab.lan:{port}/")
        await door.aclose()
