# SPDX-License-Identifier: MIT
"""Requests that nobody should send, as tables: what they are, their bytes, and what they deserve.

REFUSED     refused with that status (or one of several), and nothing behind it is answered
TRUNCATED   the client's end comes too early: refused with 400, or closed without a word
TAKEN       odd, but right: answered
"""

import random

GET = b"GET /test HTTP/1.1\r\n"
OK = GET + b"Host: a\r\n\r\n"
POST = b"POST /echo HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


def line(text):
    """A request whose first line is `text`."""
    return text + b"\r\nHost: a\r\n\r\n"


def field(text):
    """A request with one more line in its head."""
    return GET + b"Host: a\r\n" + text + b"\r\n\r\n"


def host(value):
    return GET + b"Host: " + value + b"\r\n\r\n"


def framed(*lines):
    """A POST with these lines of framing and a body that either reading of them would take."""
    return POST + b"\r\n".join(lines) + b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n"


def chunks(body):
    return CHUNKED + body


def trailer(text):
    return CHUNKED + b"1\r\na\r\n0\r\n" + text


def noise(seed, size):
    return bytes(random.Random(seed).randrange(256) for _ in range(size))


REQUEST_LINE = [
    ("nothing but an empty version", line(b"GET /test "), 400),
    ("no version", line(b"GET /test"), 400),
    ("no target", line(b"GET HTTP/1.1"), 400),
    ("method alone", line(b"GET"), 400),
    ("two spaces before the target", line(b"GET  /test HTTP/1.1"), 400),
    ("two spaces behind the target", line(b"GET /test  HTTP/1.1"), 400),
    ("space at the end", line(b"GET /test HTTP/1.1 "), 400),
    ("space at the beginning", line(b" GET /test HTTP/1.1"), 400),
    ("tab instead of the first space", line(b"GET\t/test HTTP/1.1"), 400),
    ("tab instead of the second space", line(b"GET /test\tHTTP/1.1"), 400),
    ("vertical tab instead of a space", line(b"GET\x0b/test HTTP/1.1"), 400),
    ("form feed instead of a space", line(b"GET\x0c/test HTTP/1.1"), 400),
    ("no-break space", line(b"GET\xa0/test HTTP/1.1"), 400),
    ("space in the target", line(b"GET /te st HTTP/1.1"), 400),
    ("four words", line(b"GET /test HTTP/1.1 HTTP/1.1"), 400),
    ("lower case version", line(b"GET /test http/1.1"), 400),
    ("mixed case version", line(b"GET /test Http/1.1"), 400),
    ("version without a minor", line(b"GET /test HTTP/1"), 400),
    ("version with a dot too many", line(b"GET /test HTTP/1.1.1"), 400),
    ("version with a letter", line(b"GET /test HTTP/1.x"), 400),
    ("version of two digits", line(b"GET /test HTTP/1.10"), 400),
    ("version with a zero in front", line(b"GET /test HTTP/01.1"), 400),
    ("version with a comma", line(b"GET /test HTTP/1,1"), 400),
    ("version with a sign", line(b"GET /test HTTP/+1.1"), 400),
    ("another protocol", line(b"GET /test ICAP/1.0"), 400),
    ("HTTPS as a version", line(b"GET /test HTTPS/1.1"), 400),
    ("HTTP/0.9 in words", line(b"GET /test HTTP/0.9"), 505),
    ("HTTP/1.2", line(b"GET /test HTTP/1.2"), 505),
    ("HTTP/2.0", line(b"GET /test HTTP/2.0"), 505),
    ("HTTP/3.0", line(b"GET /test HTTP/3.0"), 505),
    ("HTTP/9.9", line(b"GET /test HTTP/9.9"), 505),
    ("unknown method", line(b"BREW /test HTTP/1.1"), 501),
    ("lower case method", line(b"get /test HTTP/1.1"), 501),
    ("long method", line(b"A" * 33 + b" /test HTTP/1.1"), 501),
    ("endless method", b"A" * 5000, 501),
    ("method with a zero byte", line(b"GE\0T /test HTTP/1.1"), 400),
    ("method with a colon", line(b"GET: /test HTTP/1.1"), 400),
    ("method in brackets", line(b"(GET) /test HTTP/1.1"), 400),
    ("method with a high byte", line(b"G\xc9T /test HTTP/1.1"), 400),
    ("CONNECT", line(b"CONNECT a:80 HTTP/1.1"), 501),
    ("CONNECT with a path", line(b"CONNECT /test HTTP/1.1"), 501),
    ("HTTP/2's preface, misspelt", b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", 505),
    ("RTSP", line(b"DESCRIBE rtsp://a/ RTSP/1.0"), 400),
    ("RTSP's method in HTTP", line(b"DESCRIBE /test HTTP/1.1"), 501),
]

TARGET = [
    ("fragment", line(b"GET /test#a HTTP/1.1"), 400),
    ("fragment alone", line(b"GET # HTTP/1.1"), 400),
    ("no slash", line(b"GET test HTTP/1.1"), 400),
    ("query alone", line(b"GET ?a=b HTTP/1.1"), 400),
    ("backslash", line(b"GET \\test HTTP/1.1"), 400),
    ("another scheme", line(b"GET ftp://a/test HTTP/1.1"), 400),
    ("scheme without authority", line(b"GET http:///test HTTP/1.1"), 400),
    ("scheme alone", line(b"GET http:// HTTP/1.1"), 400),
    ("scheme with one slash", line(b"GET http:/a/test HTTP/1.1"), 400),
    ("user name", line(b"GET http://me@a/test HTTP/1.1"), 400),
    ("port of letters", line(b"GET http://a:b/test HTTP/1.1"), 400),
    ("open bracket", line(b"GET http://[::1/test HTTP/1.1"), 400),
    ("port alone", line(b"GET http://:80/test HTTP/1.1"), 400),
    ("authority of a backslash", line(b"GET http://a\\b/test HTTP/1.1"), 400),
    ("asterisk for another method", line(b"GET * HTTP/1.1"), 400),
    ("asterisk and more", line(b"OPTIONS *a HTTP/1.1"), 400),
    ("authority form", line(b"GET a:80 HTTP/1.1"), 400),
    ("control character", line(b"GET /te\x01st HTTP/1.1"), 400),
    ("zero byte", line(b"GET /te\0st HTTP/1.1"), 400),
    ("zero byte behind the path", line(b"GET /test\0 HTTP/1.1"), 400),
    ("escape", line(b"GET /te\x1bst HTTP/1.1"), 400),
    ("delete", line(b"GET /te\x7fst HTTP/1.1"), 400),
    ("high byte", line(b"GET /te\xffst HTTP/1.1"), 400),
    ("UTF-8", line("GET /tést HTTP/1.1".encode()), 400),
    ("bare CR", line(b"GET /te\rst HTTP/1.1"), 400),
    ("too long", line(b"GET /" + b"a" * 9000 + b" HTTP/1.1"), 414),
    ("endless", b"GET /" + b"a" * 100000, 414),
    ("endless query", b"GET /?" + b"a=b&" * 20000, 414),
]

LINE_ENDS = [
    ("bare LF behind the request line", b"GET /test HTTP/1.1\nHost: a\r\n\r\n", 400),
    ("bare LF throughout", b"GET /test HTTP/1.1\nHost: a\n\n", 400),
    ("bare LF behind a field", GET + b"Host: a\nB: c\r\n\r\n", 400),
    ("bare LF at the end", GET + b"Host: a\r\n\n", 400),
    ("bare LF before the request", b"\n" + OK, 400),
    ("bare CR before the request", b"\r" + OK, 400),
    ("bare CR behind the request line", b"GET /test HTTP/1.1\rHost: a\r\n\r\n", 400),
    ("bare CR in a value", field(b"B: c\rD: e"), 400),
    ("bare CR in a name", field(b"B\r: c"), 400),
    ("bare CR before a colon", field(b"B\r:c"), 400),
    ("CR CR LF", GET + b"Host: a\r\r\n\r\n", 400),
    ("CR CR LF at the end", GET + b"Host: a\r\n\r\r\n", 400),
    ("LF CR", GET + b"Host: a\n\r\r\n", 400),
    ("a field hidden behind a bare CR", field(b"B: c\rContent-Length: 5"), 400),
    ("a request hidden behind a bare LF", field(b"B: c\n\nGET /hello HTTP/1.1"), 400),
]

FIELDS = [
    ("space before the colon", GET + b"Host : a\r\n\r\n", 400),
    ("tab before the colon", GET + b"Host\t: a\r\n\r\n", 400),
    ("space before the colon of a length", framed(b"Content-Length : 5"), 400),
    ("space before the colon of a coding", framed(b"Transfer-Encoding : chunked"), 400),
    ("space before the first name", GET + b" Host: a\r\n\r\n", 400),
    ("obs-fold with a space", field(b"B: c\r\n d"), 400),
    ("obs-fold with a tab", field(b"B: c\r\n\td"), 400),
    ("obs-fold of a length", framed(b"Content-Length:\r\n 5"), 400),
    ("obs-fold of a coding", framed(b"Transfer-Encoding:\r\n chunked"), 400),
    ("obs-fold of nothing", field(b"B: c\r\n "), 400),
    ("no colon", field(b"B"), 400),
    ("nothing but a colon", field(b":"), 400),
    ("empty name", field(b": b"), 400),
    ("zero byte in a name", field(b"B\0: c"), 400),
    ("zero byte in a value", field(b"B: c\0d"), 400),
    ("zero byte behind a length", framed(b"Content-Length: 5\0"), 400),
    ("control character in a value", field(b"B: \x02"), 400),
    ("escape in a value", field(b"B: \x1b[2J"), 400),
    ("delete in a value", field(b"B: \x7f"), 400),
    ("vertical tab before a value", field(b"B:\x0bc"), 400),
    ("bracket in a name", field(b"B(c): d"), 400),
    ("quote in a name", field(b'"B": d'), 400),
    ("slash in a name", field(b"B/c: d"), 400),
    ("at in a name", field(b"B@c: d"), 400),
    ("space in a name", field(b"B c: d"), 400),
    ("high byte in a name", field(b"B\xe9: d"), 400),
    ("a second request line", field(b"GET /hello HTTP/1.1"), 400),
    ("one field too many", GET + b"Host: a\r\n" + b"B: c\r\n" * 100 + b"\r\n", 431),
    ("thousands of fields", GET + b"Host: a\r\n" + b"B: c\r\n" * 5000, 431),
    ("thousands of empty fields", GET + b"Host: a\r\n" + b"B:\r\n" * 5000, 431),
    ("a long value", field(b"B: " + b"c" * 17000), 431),
    ("an endless value", GET + b"B: " + b"c" * 200000, 431),
    ("an endless name", GET + b"B" * 200000, 431),
    ("an endless field of spaces", GET + b"B:" + b" " * 200000, 431),
    ("endless empty lines before the request", b"\r\n" * 20000, (400, 414, 431)),
]

HOST = [
    ("none", GET + b"\r\n", 400),
    ("none, in absolute form", b"GET http://a/test HTTP/1.1\r\n\r\n", 400),
    ("two", GET + b"Host: a\r\nHost: b\r\n\r\n", 400),
    ("two alike", GET + b"Host: a\r\nhost: a\r\n\r\n", 400),
    ("a list", host(b"a, b"), 400),
    ("a path", host(b"a/b"), 400),
    ("a query", host(b"a?b"), 400),
    ("a fragment", host(b"a#b"), 400),
    ("a user name", host(b"me@a"), 400),
    ("a space", host(b"a b"), 400),
    ("a tab", host(b"a\tb"), 400),
    ("a backslash", host(b"a\\b"), 400),
    ("a tag", host(b"<script>"), 400),
    ("a quote", host(b'a"b'), 400),
    ("a high byte", host(b"\xe9"), 400),
    ("a port of letters", host(b"a:b"), 400),
    ("a port with a sign", host(b"a:+80"), 400),
    ("a port too high", host(b"a:65536"), 400),
    ("two ports", host(b"a:80:80"), 400),
    ("a port alone", host(b":80"), 400),
    ("an open bracket", host(b"[::1"), 400),
    ("more behind a bracket", host(b"[::1].a"), 400),
    ("a name in brackets", host(b"[a]"), 400),
    ("an address without brackets", host(b"::1"), 400),
    ("percents cut short", host(b"a%4"), 400),
    ("percents of no number", host(b"%zz"), 400),
    ("two in HTTP/1.0", b"GET /test HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    ("a path, in HTTP/1.0", b"GET /test HTTP/1.0\r\nHost: a/b\r\n\r\n", 400),
    ("a path, beside an absolute form", b"GET http://a/test HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
]

FRAMING = [
    ("both lengths", framed(b"Content-Length: 5", b"Transfer-Encoding: chunked"), 400),
    ("both lengths, other order", framed(b"Transfer-Encoding: chunked", b"Content-Length: 5"), 400),
    ("both lengths, lower case", framed(b"content-length: 5", b"transfer-encoding: chunked"), 400),
    ("both lengths, no coding", framed(b"Content-Length: 5", b"Transfer-Encoding: identity"), (400, 501)),
    ("two equal lengths", framed(b"Content-Length: 5", b"Content-Length: 5"), 400),
    ("two different lengths", framed(b"Content-Length: 5", b"Content-Length: 6"), 400),
    ("a length and none", framed(b"Content-Length: 5", b"Content-Length:"), 400),
    ("list of equal lengths", framed(b"Content-Length: 5, 5"), 400),
    ("list of different lengths", framed(b"Content-Length: 5, 6"), 400),
    ("length with a sign", framed(b"Content-Length: +5"), 400),
    ("negative length", framed(b"Content-Length: -5"), 400),
    ("negative zero", framed(b"Content-Length: -0"), 400),
    ("hexadecimal length", framed(b"Content-Length: 0x5"), 400),
    ("length with a letter", framed(b"Content-Length: 5a"), 400),
    ("length with a fraction", framed(b"Content-Length: 5.0"), 400),
    ("length with an exponent", framed(b"Content-Length: 5e0"), 400),
    ("length in quotes", framed(b'Content-Length: "5"'), 400),
    ("length of two words", framed(b"Content-Length: 5 5"), 400),
    ("length with an underscore", framed(b"Content-Length: 1_0"), 400),
    ("length in full-width digits", framed("Content-Length: ５".encode()), 400),
    ("empty length", framed(b"Content-Length:"), 400),
    ("length of spaces", framed(b"Content-Length:    "), 400),
    ("length with a vertical tab", framed(b"Content-Length: \x0b5"), 400),
    ("length of 2^64", framed(b"Content-Length: 18446744073709551616"), 413),
    ("length of 2^64 + 5", framed(b"Content-Length: 18446744073709551621"), 413),
    ("length of 2^63 - 1", framed(b"Content-Length: 9223372036854775807"), 413),
    ("length of 200 digits", framed(b"Content-Length: " + b"1" * 200), 413),
    ("length beyond the limit", framed(b"Content-Length: 16777217"), 413),
    ("chunked twice", framed(b"Transfer-Encoding: chunked, chunked"), 400),
    ("chunked in two fields", framed(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"), 400),
    ("chunked, then identity", framed(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"), 400),
    ("chunked is not last", framed(b"Transfer-Encoding: chunked, gzip"), 400),
    ("chunked and a comma", framed(b"Transfer-Encoding: chunked,"), 400),
    ("a comma and chunked", framed(b"Transfer-Encoding: , chunked"), (400, 501)),
    ("chunked with a parameter", framed(b"Transfer-Encoding: chunked;a=b"), 400),
    ("chunked in quotes", framed(b'Transfer-Encoding: "chunked"'), (400, 501)),
    ("chunked with a vertical tab", framed(b"Transfer-Encoding: \x0bchunked"), 400),
    ("chunked with a zero byte", framed(b"Transfer-Encoding: chunked\0"), 400),
    ("chunked misspelt", framed(b"Transfer-Encoding: chunkedd"), 400),
    ("something and chunked, in two fields", framed(b"Transfer-Encoding: x", b"Transfer-Encoding: chunked"), 501),
    ("chunked and something, in two fields", framed(b"Transfer-Encoding: chunked", b"Transfer-Encoding: x"), 400),
    ("nothing and chunked, in two fields", framed(b"Transfer-Encoding:", b"Transfer-Encoding: chunked"), 400),
    ("chunked of two words", framed(b"Transfer-Encoding: chunked chunked"), 400),
    ("identity before chunked", framed(b"Transfer-Encoding: identity, chunked"), 501),
    ("no length and chunked", framed(b"Content-Length:", b"Transfer-Encoding: chunked"), 400),
    ("a length of none and chunked", framed(b"Content-Length: 0", b"Transfer-Encoding: chunked"), 400),
    ("a length that is none and chunked", framed(b"Content-Length: x", b"Transfer-Encoding: chunked"), 400),
    ("length behind a comma", framed(b"Content-Length: ,5"), 400),
    ("length and a comma", framed(b"Content-Length: 5,"), 400),
    ("length with a parameter", framed(b"Content-Length: 5;a"), 400),
    ("length with a no-break space", framed(b"Content-Length: \xa05"), 400),
    ("chunked with an x in front", framed(b"Transfer-Encoding: xchunked"), 501),
    ("empty coding", framed(b"Transfer-Encoding:"), 400),
    ("gzip", framed(b"Transfer-Encoding: gzip"), 501),
    ("gzip before chunked", framed(b"Transfer-Encoding: gzip, chunked"), 501),
    ("identity", framed(b"Transfer-Encoding: identity"), 501),
    ("chunked in HTTP/1.0", b"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("chunked GET with both lengths",
     GET + b"Host: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("an expectation and an unknown one", framed(b"Expect: 100-continue, tea", b"Content-Length: 5"), 417),
    ("an expectation with a parameter", framed(b"Expect: 100-continue;a=b", b"Content-Length: 5"), 417),
    ("an expectation with a body too large", framed(b"Expect: 100-continue", b"Content-Length: 16777217"), 413),
    ("unknown expectation", framed(b"Expect: tea", b"Content-Length: 5"), 417),
]

CHUNKS = [
    ("no size", chunks(b"\r\nhello\r\n"), 400),
    ("size that is none", chunks(b"g\r\n"), 400),
    ("negative size", chunks(b"-5\r\nhello\r\n"), 400),
    ("size with a sign", chunks(b"+5\r\nhello\r\n"), 400),
    ("size with 0x", chunks(b"0x5\r\nhello\r\n"), 400),
    ("space before the size", chunks(b" 5\r\nhello\r\n"), 400),
    ("space behind the size", chunks(b"5 \r\nhello\r\n"), 400),
    ("tab behind the size", chunks(b"5\t\r\nhello\r\n"), 400),
    ("underscore in the size", chunks(b"1_0\r\nhello\r\n"), 400),
    ("zero byte behind the size", chunks(b"5\0\r\nhello\r\n"), 400),
    ("size line ends in LF", chunks(b"5\nhello\r\n0\r\n\r\n"), 400),
    ("size line ends in CR", chunks(b"5\rhello\r\n0\r\n\r\n"), 400),
    ("chunk ends in LF", chunks(b"5\r\nhello\n0\r\n\r\n"), 400),
    ("chunk ends in CR", chunks(b"5\r\nhello\r0\r\n\r\n"), 400),
    ("chunk longer than its size", chunks(b"5\r\nhelloX\r\n0\r\n\r\n"), 400),
    ("chunk shorter than its size", chunks(b"6\r\nhello\r\n0\r\n\r\n"), 400),
    ("size of 2^64", chunks(b"10000000000000000\r\nhello\r\n"), 400),
    ("size of 2^64 + 5", chunks(b"10000000000000005\r\nhello\r\n"), 400),
    ("size of 2^64 - 1", chunks(b"FFFFFFFFFFFFFFFF\r\nhello\r\n"), 413),
    ("size of 2^63 - 1", chunks(b"7FFFFFFFFFFFFFFF\r\nhello\r\n"), 413),
    ("size beyond the limit", chunks(b"1000001\r\nhello\r\n"), 413),
    ("size beyond what is left", chunks(b"5\r\nhello\r\nFFFFFF\r\n"), 413),
    ("endless zeros before the size", chunks(b"0" * 100000), (400, 413)),
    ("endless digits", chunks(b"1" * 100000), 400),
    ("endless extension", chunks(b"5;a=" + b"b" * 100000), 413),
    ("endless quoted extension", chunks(b'5;a="' + b"b" * 100000), 413),
    ("mostly extensions", chunks(b"1;" + b"a" * 100 + b"\r\nx\r\n") + (b"1;" + b"a" * 100 + b"\r\nx\r\n") * 2000, 413),
    ("extension with a bare LF", chunks(b"5;a\nhello\r\n0\r\n\r\n"), 400),
    ("extension with a zero byte", chunks(b"5;a\0\r\nhello\r\n0\r\n\r\n"), 400),
    ("extension with a control character", chunks(b"5;a=\x01\r\nhello\r\n0\r\n\r\n"), 400),
    ("size line with two CR", chunks(b"5\r\r\nhello\r\n0\r\n\r\n"), 400),
    ("chunk with two CR at its end", chunks(b"5\r\nhello\r\r\n0\r\n\r\n"), 400),
    ("space and a bare LF behind the size", chunks(b"5 \nhello\r\n0\r\n\r\n"), 400),
    ("comma behind the size", chunks(b"5,a\r\nhello\r\n0\r\n\r\n"), 400),
    ("extension without a name", chunks(b"5;\r\nhello\r\n0\r\n\r\n"), 400),
    ("extension without a size", chunks(b";a\r\n"), 400),
    ("extension with a bare CR", chunks(b"5;a\rb\r\nhello\r\n0\r\n\r\n"), 400),
    ("extension with a line end in quotes", chunks(b'5;a="\r\nhello\r\n0\r\n\r\n'), 400),
    ("negative zero", chunks(b"-0\r\n\r\n"), 400),
    ("last chunk without its line end", chunks(b"0GET /hello HTTP/1.1\r\n\r\n"), 400),
]

TRAILERS = [
    ("a length", trailer(b"Content-Length: 5\r\n\r\n"), 400),
    ("a coding", trailer(b"Transfer-Encoding: chunked\r\n\r\n"), 400),
    ("a Host", trailer(b"Host: b\r\n\r\n"), 400),
    ("a Connection", trailer(b"Connection: close\r\n\r\n"), 400),
    ("no colon", trailer(b"B\r\n\r\n"), 400),
    ("space before the colon", trailer(b"B : c\r\n\r\n"), 400),
    ("obs-fold", trailer(b"B: c\r\n d\r\n\r\n"), 400),
    ("bare LF", trailer(b"B: c\n\r\n"), 400),
    ("bare LF at the end", trailer(b"B: c\r\n\n"), 400),
    ("bare CR", trailer(b"B: c\rD: e\r\n\r\n"), 400),
    ("zero byte", trailer(b"B: \0\r\n\r\n"), 400),
    ("a request", trailer(b"GET /hello HTTP/1.1\r\n\r\n"), 400),
    ("thousands", trailer(b"B: c\r\n" * 5000), 431),
    ("an endless one", trailer(b"B: " + b"c" * 100000), 431),
]

OTHER_PROTOCOLS = [
    ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + noise(1, 500), 400),
    ("TLS 1.0 alert", b"\x15\x03\x01\x00\x02\x02\x28", 400),
    ("SSL 2", b"\x80\x2e\x01\x00\x02\x00\x15", 400),
    ("SSH", b"SSH-2.0-OpenSSH_9.2\r\n", 400),
    ("SMTP", b"EHLO a\r\n", 400),
    ("SIP", b"INVITE sip:a@b SIP/2.0\r\nVia: c\r\n\r\n", 400),
    ("Redis", b"*1\r\n$4\r\nPING\r\n", 400),
    ("memcached", b"get a\r\n", 400),
    ("PROXY protocol", b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n", 400),
    ("PROXY protocol 2", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + noise(2, 12), 400),
    ("FastCGI", b"\x01\x01\0\x01\0\x08\0\0\0\x01\0\0\0\0\0\0", 400),
    ("DNS over TCP", b"\0\x1d\x12\x34\x01\0\0\x01\0\0\0\0\0\0", 400),
    ("SOCKS 5", b"\x05\x01\0", 400),
    ("zeros", b"\0" * 1000, 400),
    ("high bytes", bytes(range(128, 256)), 400),
    ("a WebSocket frame", b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 400),
    *((f"noise {seed}", b"\xff" + noise(seed, 300), 400) for seed in range(3, 9)),
]

REFUSED = [
    (f"{group}: {name}", data, (status,) if isinstance(status, int) else status)
    for group, table in (
        ("request line", REQUEST_LINE), ("target", TARGET), ("line ends", LINE_ENDS),
        ("fields", FIELDS), ("Host", HOST), ("framing", FRAMING), ("chunks", CHUNKS),
        ("trailers", TRAILERS), ("other protocols", OTHER_PROTOCOLS))
    for name, data, status in table
]

TRUNCATED = [
    ("in the method", b"GE"),
    ("in the target", b"GET /te"),
    ("in the version", b"GET /test HT"),
    ("in the line end", b"GET /test HTTP/1.1\r"),
    ("behind the request line", GET),
    ("in a name", GET + b"Ho"),
    ("in a value", GET + b"Host: "),
    ("before the empty line", GET + b"Host: a\r\n"),
    ("in the empty line", GET + b"Host: a\r\n\r"),
    ("before the body", POST + b"Content-Length: 5\r\n\r\n"),
    ("in the body", POST + b"Content-Length: 5\r\n\r\nhell"),
    ("before the first chunk", CHUNKED),
    ("in a chunk's size", CHUNKED + b"5"),
    ("in a chunk's size line", CHUNKED + b"5\r"),
    ("in an extension", CHUNKED + b"5;a="),
    ("in a chunk", CHUNKED + b"5\r\nhel"),
    ("behind a chunk", CHUNKED + b"5\r\nhello"),
    ("before the last chunk", CHUNKED + b"5\r\nhello\r\n"),
    ("in the last chunk", CHUNKED + b"5\r\nhello\r\n0\r\n"),
    ("in a trailer", CHUNKED + b"0\r\nB: "),
    ("before the end of the trailers", CHUNKED + b"0\r\nB: c\r\n\r"),
]

TAKEN = [
    ("empty lines before it", b"\r\n\r\n" + OK, 200),
    ("absolute form", b"GET http://elsewhere/test HTTP/1.1\r\nHost: a\r\n\r\n", 200),
    ("absolute form, upper case", b"GET HTTP://ELSEWHERE/test HTTP/1.1\r\nHost: a\r\n\r\n", 200),
    ("empty Host", GET + b"Host:\r\n\r\n", 200),
    ("a Host in percents", host(b"%41%2eb:80"), 200),
    ("a Host with an empty port", host(b"a:"), 200),
    ("what follows a close", GET + b"Host: a\r\nConnection: keep-alive, Close\r\n\r\n" + OK, 200),
    ("garbage behind a close", GET + b"Host: a\r\nConnection: a\r\nConnection: close\r\n\r\n\xff\0\r\n", 200),
    ("what follows HTTP/1.0", b"GET /test HTTP/1.0\r\n\r\n" + OK, 200),
    ("an expectation in HTTP/1.0", b"POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello", 200),
    ("a coding with an underscore", POST + b"Transfer_Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello", 200),
    ("a chunked GET", GET + b"Host: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 200),
    ("a trailer that grants nothing", trailer(b"Authorization: b\r\nCookie: c\r\n\r\n"), 200),
    ("IPv6 Host", host(b"[::1]:80"), 200),
    ("tabs around a value", field(b"B:\tc\t"), 200),
    ("no space before a value", field(b"B:c"), 200),
    ("every character of a token", field(b"!#$%&'*+-.^_`|~09azAZ: b"), 200),
    ("high bytes in a value", field(b"B: \x80\xff"), 200),
    ("the same name twice", field(b"B: c\r\nB: d"), 200),
    ("a GET with a body", GET + b"Host: a\r\nContent-Length: 5\r\n\r\nhello", 200),
    ("a length with zeros in front", POST + b"Content-Length: 0005\r\n\r\nhello", 200),
    ("a length of none", POST + b"Content-Length: 0\r\n\r\n", 200),
    ("CHUNKED", POST + b"Transfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n", 200),
    ("a chunk size with zeros in front", chunks(b"0005\r\nhello\r\n000\r\n\r\n"), 200),
    ("a chunk size in both cases", chunks(b"Aa\r\n" + b"x" * 170 + b"\r\n0\r\n\r\n"), 200),
    ("an extension", chunks(b"5;a;c=\"d\"\r\nhello\r\n0;e\r\n\r\n"), 200),
    ("a trailer", trailer(b"Digest: b\r\n\r\n"), 200),
    ("an upgrade to HTTP/2", field(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA"), 200),
    ("an upgrade to something", field(b"Connection: upgrade\r\nUpgrade: something/1"), 200),
    ("OPTIONS for the server", b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 200),
    ("HTTP/1.0 without a Host", b"GET /test HTTP/1.0\r\n\r\n", 200),
    ("HTTP/1.0 and a keep-alive", b"GET /test HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200),
    ("a target of 8000 bytes", line(b"GET /test?" + b"a" * 8000 + b" HTTP/1.1"), 200),
    ("a field of 15000 bytes", field(b"B: " + b"c" * 15000), 200),
    ("a path in percents", line(b"GET /%74est HTTP/1.1"), 404),
    ("a path that climbs", line(b"GET /../../etc/passwd HTTP/1.1"), 404),
    ("a path of slashes", line(b"GET //test HTTP/1.1"), 404),
]
