"""URLs that try to make the service reach what it must not reach."""

from __future__ import annotations

MISREAD = (
    # IPv4 in other notations
    *("https://2130706433/", "https://0x7f000001/", "https://017700000001/", "https://127.1/"),
    *("https://127.0.1/", "https://0177.0.0.1/", "https://0x7f.0.0.1/", "https://0x7f.1/"),
    *("https://127.0.0.0x1/", "https://127.0.0.01/", "https://127.0.0.001/", "https://0/"),
    *("https://0.0/", "https://1.1/", "https://10.1/", "https://169.254.43518/", "https://127.1./"),
    *("https://169.0xfea9fe/", "https://0xa9fea9fe/", "https://2852039166/", "https://0x/"),
    *("https://00000000177.0.0.1/", "https://127.0.0.1.2.3/", "https://256.256.256.256/"),
    *("https://4294967297/", "https://999999999999/", "https://1.2.3.4.5/", "https://a.0x7f/"),
    *("https://127.000.000.1/", "https://0300.0250.0.1/", "https://127.0.0.1./", "https://a.1/"),
    # digits, dots and letters of other scripts
    *("https://\u2460\u2461\u2466.\u24ea.\u24ea.\u2460/",),
    *("https://\uff11\uff12\uff17.\uff10.\uff10.\uff11/", "https://127\u30020\u30020\u30021/"),
    *("https://127\uff0e0\uff0e0\uff0e1/", "https://127\uff610\uff610\uff611/"),
    *("https://\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3/", "https://\uff4cocalhost/"),
    *("https://\U0001d7cf\U0001d7d0\U0001d7d5.\U0001d7ce.\U0001d7ce.\U0001d7cf/",),
    *("https://\u0660.\u0660.\u0660.\u0660/", "https://\u217cocalhost/"),
    *("https://local\u00adhost/", "https://loc\u200balhost/", "https://example\uff0ecom/"),
    *("https://example\u3002com/", "https://xn--/", "https://\ufb01le.example/"),
    *("https://example.com\u2044path/", "https://a\u2100.example/", "https://\u202eexample.com/"),
    *("https://example\uff1a443/",),
    *("https://xn--zzzzzz99999.example/", "https://XN--a/", "https://a.xn--0.example/"),
    # IPv6 in odd forms
    *("https://[::1%25lo]/", "https://[fe80::1%25eth0]/", "https://[fe80::1%eth0]/"),
    *("https://[::1/", "https://::1/", "https://[::1]x/", "https://[[::1]]/", "https://[]/"),
    *("https://[::1]@example.com/", "https://[1::2::3]/", "https://[::g]/", "https://[v1.a]/"),
    *("https://[127.0.0.1]/", "https://[::127.1]/", "https://[0:0:0:0:0:0:0:0:1]/"),
    *("https://[::ffff:0177.0.0.1]/", "https://[localhost]/", "https://[::1]:/"),
    # users, fragments, backslashes
    *("https://user@127.0.0.1/", "https://user:secret@example.com/", "https://@127.0.0.1/"),
    *("https://example.com@127.0.0.1/", "https://example.com:443@127.0.0.1/", "https://:@a.b/"),
    *("https://example.com#@127.0.0.1/", "https://127.0.0.1#.example.com/", "https://a.b/#"),
    *("https://example.com\\@127.0.0.1/", "https://127.0.0.1\\.example.com/", "https:\\\\a.b/"),
    *("https://example.com\\127.0.0.1/", "\\\\127.0.0.1\\", "https:/\\127.0.0.1/", "https://\\/"),
    *("https://example.com%40127.0.0.1/", "https://%31%32%37.0.0.1/", "https://127%2e0.0.1/"),
    *("https://example.com%00.a.b/", "https://example.com%23.a.b/", "https://a.b%2f@127.0.0.1/"),
    *("https://example.com&@127.0.0.1/", "https://a.b;@127.0.0.1/", "https://a b/", "https://a,b/"),
    # white space and control characters
    *(" https://example.com/", "https://example.com/ ", "https://exam\tple.com/", "https://a.b/\n"),
    *("https://example.com\r\nHost: 127.0.0.1/", "https://a.b/\r\nX: y", "https://a.b/\x00"),
    *("https://a.b\x00.example/", "\thttps://a.b/", "https://a.b/\x7f", "https://a.b/\x85"),
    *("https://a.b/\ud800", "https://a.b/\u2028", "https://a.b/\u00a0", "ht\ntps://a.b/"),
    # schemes
    *("ftp://example.com/", "file:///etc/passwd", "gopher://127.0.0.1:70/", "dict://127.0.0.1/"),
    *("ldap://127.0.0.1/", "jar:https://a.b!/", "data:text/plain,x", "javascript:alert(1)"),
    *("//127.0.0.1/", "127.0.0.1", "example.com", "", "https:", "https:/a.b/", "https:///a.b/"),
    *("https://", "https:///", "https://?a=b", "https:a.b", "httpss://a.b/", "wss://a.b/"),
    *("unix:///run/docker.sock", "http+unix://%2Frun%2Fa/", "tftp://a.b/", "https:////127.0.0.1/"),
    # ports
    *(
        "https://a.b:/",
        "https://a.b:0/",
        "https://a.b:65536/",
        "https://a.b:-1/",
        "https://a.b:+1/",
    ),
    *(
        "https://a.b:0443/",
        "https://a.b:443:443/",
        "https://a.b:4 43/",
        "https://a.b:\u0664\u0664\u0663/",
    ),
    *("https://a.b:99999999999/", "https://a.b:443x/", "https://:443/", "https://a.b:0x1bb/"),
    # names
    *("https://.example.com/", "https://example..com/", "https://example.com./", "https://-a.b/"),
    *("https://a-.b/", "https://*.example.com/", "https://a'b/", 'https://a"b/', "https://a<b>/"),
    *(f"https://{'a' * 64}.com/", f"https://{'a.' * 130}com/", "https://a.b/" + "x" * 20_000),
    *("https://$(id).a.b/", "https://{a}.b/", "https://a|b/", "https://a^b/", "https://a`b/"),
)
"""Refused as they are read, whatever the resolver would say."""

NOT_PUBLIC = (
    *("127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255"),
    *("172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255", "169.254.0.1"),
    *("169.254.169.254", "169.254.170.2", "169.254.169.253", "100.64.0.1", "100.127.255.255"),
    *("100.100.100.200", "192.0.0.1", "192.0.0.8", "192.0.0.170", "192.0.0.192", "192.0.2.1"),
    *("192.88.99.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1"),
    *("224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "168.63.129.16"),
    *("::", "::1", "::127.0.0.1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:7f00:1"),
    *("::ffff:169.254.169.254", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1"),
    *("64:ff9b::7f00:1", "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1"),
    *("2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:0a00:0001::1", "2002:c0a8:0101::1"),
    *("2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:10::1", "2001:20::1", "2001:2::1"),
    *("2001:db8::1", "3fff::1", "3fff:fff::1", "3ffe::1", "5f00::1", "fe80::1", "fe80::a9fe:a9fe"),
    *("fec0::1", "fc00::1", "fd00::1", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254"),
    *("ff02::1", "ff0e::1", "100::1", "4000::1", "a000::1", "2a00:1450::5efe:7f00:1"),
    *("2a00:1450::200:5efe:a9fe:a9fe", "2620:4f:8000::1", "192.31.196.1", "192.175.48.1"),
)
"""Addresses that no URL may lead to: written into it, or as the answer of a resolver."""

NAMES = {
    "localhost": ["127.0.0.1"],
    "localhost.localdomain": ["127.0.0.1", "::1"],
    "ip6-localhost": ["::1"],
    "127.0.0.1.nip.io": ["127.0.0.1"],
    "app-10-1-2-3.nip.io": ["10.1.2.3"],
    "169-254-169-254.sslip.io": ["169.254.169.254"],
    "localtest.me": ["127.0.0.1"],
    "metadata.google.internal": ["169.254.169.254"],
    "mixed.example": ["93.184.215.14", "127.0.0.1"],
    "mixed-last.example": ["93.184.215.14"] * 50 + ["10.0.0.1"],
    "mixed-families.example": ["93.184.215.14", "::1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "nat64.example": ["64:ff9b::a00:1"],
    "zone.example": ["fe80::1%eth0"],
    "nonsense.example": ["not an address"],
    "kubernetes.default.svc": ["10.96.0.1"],
    "host.docker.internal": ["192.168.65.2"],
}
"""Names and the answers of a resolver, at least one of which is not public."""


def literal(address: str) -> str:
    return f"https://[{address}]/" if ":" in address else f"https://{address}/"


HOSTILE = (
    *MISREAD,
    *(literal(address) for address in NOT_PUBLIC),
    *(f"https://{name}/path" for name in NAMES),
    *("http://example.com/", "http://93.184.215.14/", "https://example.com:22/"),
    *("https://example.com:80/", "https://93.184.215.14:6379/", "http://example.com:443/"),
    *("http://[2606:2800:21f:cb07::1]/", "https://[2606:2800:21f:cb07::1]:8443/"),
)
