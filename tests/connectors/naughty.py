"""Texts that programs choke on: each has broken somebody's parser, renderer, regex or database."""

from __future__ import annotations

LENGTH = 50_000
NAUGHTY: tuple[str, ...] = (
    # nothing, and what is read as nothing, as a number or as a truth
    *("", " ", "\t\r\n", "null", "undefined", "None", "NaN", "-Infinity", "true", "0", "1e400"),
    *("9" * 400, "0x7f", "1_000", "\u0661\u0662\u0663", "\u2460", "\u00bd", "1,5", "+1", "--1"),
    # what no database, no UTF-8 and no terminal takes
    *("\0", "a\0b", "\ud800", "\udfff\ud800", "\ufffe", "\uffff", "\U0010ffff", "\x1b[2J", "\x7f"),
    # direction, joiners, combining marks, homoglyphs, case that changes the length
    *("\u202etxet", "\u2066\u2067\u2068", "\u200b" * 50, "\u200d" * 50, "Z\u0351\u036b\u0343" * 50),
    *("\u0130\u0131", "\u00df\ufb01", "\u1e9e", "\u0441\u043e\u043c", "\ufdfa", "\u0958", "\ufeff"),
    *("\U0001f469\u200d\U0001f469\u200d\U0001f467", "\U0001f1e9\U0001f1ea", "\u2764\ufe0f"),
    # times that are none
    *("2026-13-45T99:99:99", "0000-00-00T00:00:00Z", "9999-12-31T23:59:60Z", "2026-02-30", "now"),
    *("2026-10-01T12:00:00+99:99", "2026-10-01T12:00:00.9999999999999Z", "-2026-10-01T12:00:00Z"),
    # addresses that lead elsewhere, or nowhere
    *("javascript:alert(1)", "data:text/html,x", "//evil.example", "http://[::1", "http://a:b@c:d/"),
    *("https://example.org:99999/", "http://\u2460.example/", "at://", "at://did:plc:x/y/..", "%"),
    *("../../etc/passwd", "/a?b=%zz", "C:\\con\\con", "http://x/\r\nset-cookie: a=b", "urn:x:%00"),
    # markup, templates, queries
    *("<script>alert(1)</script>", "<a href='x", "</p>", "<!--", "<![CDATA[", "&#x110000;", "&#0;"),
    *("&amp;amp;lt;", "&" * 500, "<p>" * 500, "<svg/onload=x>", "{{7*7}}", "${7*7}", "%s%n", "'--"),
    *("=cmd|' /C calc'!A0", "\\", "\\u0000", '"', "]]>", "{}", "[]", "@", "@@", "#", "@a@"),
    # long, repeating, and what makes a careless expression slow
    *("a" * LENGTH, " " * LENGTH, "<" * LENGTH, "&#" * LENGTH, "<a href=" * (LENGTH // 10)),
    *("@" * LENGTH, "@a" * LENGTH, "#" * LENGTH, "http://" * (LENGTH // 10), "\n" * LENGTH),
    *("(" * LENGTH, "[](" * LENGTH, "a.a" * LENGTH, "\u0301" * LENGTH, "<p>" * LENGTH),
    *("</" * LENGTH, "<!--" * LENGTH, "a@" * LENGTH, "=" * LENGTH, "T:" * LENGTH, "/" * LENGTH),
)  # fmt: skip
