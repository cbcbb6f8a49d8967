"""The table: bytes, the status and code that answer them, and how a row is checked."""
import json

from raw_client import get, post

SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


def table(g, p):
    def chunked(chunks, *headers):
        return get(p, "Transfer-Encoding: chunked", "Content-Type: application/json", *headers, method="POST") + chunks

    bad, length, long_head = (400, "invalid_request"), (411, "length_required"), (431, "headers_too_large")
    return [
        # where the body ends: the ways to smuggle a request
        ("two Content-Length that differ", get(p, "Content-Length: 2", "Content-Length: 36", method="POST") + b"{}" + SMUGGLED, *bad),
        ("two Content-Length alike", get(p, "Content-Length: 2", "Content-Length: 2", method="POST") + b"{}", *bad),
        ("Content-Length as a list", get(p, "Content-Length: 2, 2", method="POST") + b"{}", *bad),
        ("Content-Length with a sign", get(p, "Content-Length: +2", method="POST") + b"{}", *bad),
        ("Content-Length negative", get(p, "Content-Length: -1", method="POST"), *bad),
        ("Content-Length hexadecimal", get(p, "Content-Length: 0x2", method="POST") + b"{}", *bad),
        ("Content-Length empty", get(p, "Content-Length:", method="POST"), *bad),
        ("Content-Length past 64 bits", get(p, "Content-Length: 18446744073709551618", method="POST") + b"{}", *bad),
        ("space before the colon", get(p, "Content-Length : 34", method="POST") + SMUGGLED, *bad),
        ("tab before the colon", get(p, "Content-Length\t: 34", method="POST") + SMUGGLED, *bad),
        ("HEAD with a body", get(g, "Content-Length: %d" % len(SMUGGLED), method="HEAD") + SMUGGLED, *bad),
        ("GET with a body", get(g, "Content-Length: %d" % len(SMUGGLED)) + SMUGGLED, *bad),
        ("DELETE with a body", get(p, "Content-Length: %d" % len(SMUGGLED), method="DELETE") + SMUGGLED, *bad),
        ("OPTIONS with a body", get(p, "Content-Length: %d" % len(SMUGGLED), method="OPTIONS") + SMUGGLED, *bad),
        ("TE and CL", get(p, "Content-Length: 4", "Transfer-Encoding: chunked", method="POST") + b"0\r\n\r\n" + SMUGGLED, *length),
        ("CL and TE", get(p, "Transfer-Encoding: chunked", "Content-Length: 4", method="POST") + b"0\r\n\r\n" + SMUGGLED, *length),
        ("GET with Transfer-Encoding", get(g, "Transfer-Encoding: chunked") + b"0\r\n\r\n", *length),
        ("chunked, well formed", chunked(b"2\r\n{}\r\n0\r\n\r\n"), *length),
        ("chunk size 0x5", chunked(b"0x5\r\nhello\r\n0\r\n\r\n"), *length),
        ("chunk size +5", chunked(b"+5\r\nhello\r\n0\r\n\r\n"), *length),
        ("chunk size with junk", chunked(b"5 junk\r\nhello\r\n0\r\n\r\n"), *length),
        ("no line end after chunk data", chunked(b"5\r\nhello0\r\n\r\n"), *length),
        ("chunk extension", chunked(b"5;ext=1\r\nhello\r\n0\r\n\r\n"), *length),
        ("chunked with a trailer", chunked(b"2\r\n{}\r\n0\r\nX-Admin: 1\r\n\r\n", "Trailer: X-Admin"), *length),
        ("chunk size without end", chunked(b"0" * 100000), *length),
        ("Transfer-Encoding: identity", get(p, "Transfer-Encoding: identity", method="POST"), *length),
        ("Transfer-Encoding: xchunked", get(p, "Transfer-Encoding: xchunked", method="POST") + b"0\r\n\r\n", *length),
        ("Transfer-Encoding with a tab", get(p, "Transfer-Encoding:\tchunked", method="POST") + b"0\r\n\r\n", *length),
        ("POST without Content-Length", post(p, length=False), *length),
        ("body over the limit", post(p, b"", length=10_000_000), 413, "body_too_large"),
        ("body over the limit, and it comes", post(p, b" " * 300_000), 413, "body_too_large"),
        ("body over the limit under Expect", post(p, b"", "Expect: 100-continue", length=10_000_000), 413, "body_too_large"),
        # bytes of the head
        ("bare LF everywhere", get(g).replace(b"\r\n", b"\n"), *bad),
        ("bare LF after the first line", get(g).replace(b"\r\n", b"\n", 1), *bad),
        ("bare LF in a header", get(g, "X: a\nContent-Length: 5"), *bad),
        ("bare CR in a header", get(g, "X: a\rContent-Length: 5"), *bad),
        ("CR CR LF", get(g, "X: a\r"), *bad),
        ("folded header", get(g, "X: a", " b"), *bad),
        ("folded with a tab", get(g, "X: a", "\tb"), *bad),
        ("folded first header", b"GET " + g.encode() + b" HTTP/1.1\r\n Host: x\r\n\r\n", *bad),
        ("NUL in a header value", get(g, "X: a\0b"), *bad),
        ("NUL in a header name", get(g, "X\0Y: a"), *bad),
        ("NUL in the path", get(g + "\0"), *bad),
        ("escape character in a value", get(g, "X: \x1b[2J"), *bad),
        ("DEL in a value", get(g, "X: \x7f"), *bad),
        ("empty header name", get(g, ": a"), *bad),
        ("header without a colon", get(g, "Host"), *bad),
        ("space in a header name", get(g, "X Y: a"), *bad),
        ("parenthesis in a header name", get(g, "X(Y): a"), *bad),
        ("an empty line first", b"\r\n" + get(g), *bad),
        ("TLS to a plain port, or binary", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", *bad),
        ("not HTTP at all", b"HELO example.org\r\n", *bad),
        ("HTTP/0.9", b"GET " + g.encode() + b"\r\n\r\n", *bad),
        # host and version
        ("no Host", get(g, host=None), *bad),
        ("two Hosts", get(g, "Host: y"), *bad),
        ("two Hosts alike", get(g, "Host: x"), *bad),
        ("empty Host", get(g, host="Host:"), *bad),
        ("Host with a path", get(g, host="Host: x/y"), *bad),
        ("Host with a user", get(g, host="Host: a@x"), *bad),
        ("two hosts in one header", get(g, host="Host: x, y"), *bad),
        ("HTTP/1.9", get(g, version="HTTP/1.9"), *bad),
        ("HTTP/2.0", get(g, version="HTTP/2.0"), *bad),
        ("HTTP/1.10", get(g, version="HTTP/1.10"), *bad),
        ("http/1.1 in small letters", get(g, version="http/1.1"), *bad),
        ("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", *bad),
        # the path
        ("spaces in the URI", get("/a b"), *bad),
        ("space at the end of the URI", get(g + " "), *bad),
        ("tab in the URI", get(g + "\tx"), *bad),
        ("%00 and dots", get("/healthz%00/../admin"), *bad),
        ("%00", get("/v1%00"), *bad),
        ("%2f", get("/v1%2fthings"), *bad),
        ("%2F", get("/v1%2Fthings"), *bad),
        ("%5c", get("/v1%5cthings"), *bad),
        ("//", get("//healthz"), *bad),
        ("// inside", get("/v1//things"), *bad),
        ("..", get("/v1/../healthz"), *bad),
        (".. at the end", get("/v1/.."), *bad),
        (".", get("/./healthz"), *bad),
        ("%2e%2e", get("/v1/%2e%2E/healthz"), *bad),
        ("a broken escape", get("/v1/%zz"), *bad),
        ("a cut escape", get("/v1/%4"), *bad),
        ("a control character, escaped", get("/v1/%0d%0aX"), *bad),
        ("a line end in the query", get("/v1/things/1?issue=%0d%0aX"), *bad),
        ("not UTF-8", get("/v1/%ff"), *bad),
        ("bytes above ASCII", get("/v1/\xe9"), *bad),
        ("backslash", get("/v1\\things"), *bad),
        ("angle bracket", get("/<script>"), *bad),
        ("fragment", get("/healthz#x"), *bad),
        ("absolute URI", get("http://other/healthz"), *bad),
        ("asterisk", get("*", method="OPTIONS"), *bad),
        ("authority", get("other:443", method="CONNECT"), *bad),
        ("no leading slash", get("healthz"), *bad),
        # amounts
        ("7900 header lines with an empty name", get(g, *[":"] * 7900), *bad),
        ("7900 empty headers", get(g, *["a:"] * 7900), *long_head),
        ("101 headers", get(g, *["X: y"] * 100), *long_head),
        ("a head of 17 KiB", get(g, "X: " + "y" * 17000), *long_head),
        ("a path of 17 KiB", get("/" + "y" * 17000), *long_head),
        ("a first line without end", b"G" * 20000, *long_head),
        # expectations, methods
        ("Expect other than 100-continue", post(p, b"{}", "Expect: 200-ok"), *bad),
        ("two Expect", post(p, b"{}", "Expect: 100-continue", "Expect: 100-continue"), *bad),
        ("unknown method on a known path", get(g, method="BREW"), 405, "method_not_allowed"),
        ("method in small letters", get(g, method="get"), 405, "method_not_allowed"),
        ("unknown method on an unknown path", get("/nothing/here/at/all", method="BREW"), 404, "not_found"),
        ("a method that is not a token", get(g, method="GE(T"), *bad),
        ("a method of 40 letters", get(g, method="M" * 40), *bad),
        ("TRACE", get(g, method="TRACE"), 405, "method_not_allowed"),
        ("OPTIONS", get(g, method="OPTIONS"), 405, "method_not_allowed"),
        ("DELETE", get(g, method="DELETE"), 405, "method_not_allowed"),
        ("PUT", post(g, method="PUT"), 405, "method_not_allowed"),
        ("POST where GET is", post(g), 405, "method_not_allowed"),
        # tokens and media types
        ("no such path", get("/nothing/here/at/all"), 404, "not_found"),
        ("no token", post(p, token=None), 401, "unauthenticated"),
        ("a wrong token", post(p, token="wrong"), 401, "unauthenticated"),
        ("Basic", post(p, b"{}", "Authorization: Basic Z29vZA==", token=None), 401, "unauthenticated"),
        ("Bearer without a token", post(p, b"{}", "Authorization: Bearer ", token=None), 401, "unauthenticated"),
        ("two Authorization headers", post(p, b"{}", "Authorization: Bearer good"), 401, "unauthenticated"),
        ("two tokens that differ", post(p, b"{}", "x-automation-key: other"), 401, "unauthenticated"),
        ("an empty second token", post(p, b"{}", "x-automation-key:"), 401, "unauthenticated"),
    ]


def media_rows(p):
    media = (415, "unsupported_media_type")
    return [
        ("no media type", post(p, media=None), *media),
        ("text", post(p, media="text/plain"), *media),
        ("a form", post(p, media="application/x-www-form-urlencoded"), *media),
        ("JSON patch is JSON, jsonp is not", post(p, media="application/jsonp"), *media),
        ("+json of another tree", post(p, media="text/x+json"), *media),
        ("two media types", post(p, b"{}", "Content-Type: text/plain"), *media),
        ("compressed", post(p, b"{}", "Content-Encoding: gzip"), *media),
    ]


def check_row(test, connect, row):
    why, data, status, code = row
    head_only = data.startswith(b"HEAD ")
    with connect() as c:
        c.send(data)
        answer = c.answer("HEAD" if head_only else "GET")
        test.assertIsNotNone(answer, why + ": closed without an answer")
        got, headers, body = answer
        test.assertEqual(got, status, "%s: %r" % (why, body))
        test.assertEqual(headers.get("connection"), "close", why)
        check_headers(test, why, headers)
        if not head_only:
            check_problem(test, why, json.loads(body), status, code)
        if status == 405:
            test.assertRegex(headers.get("allow", ""), r"^[A-Z]+(, [A-Z]+)*$", why)
        if status == 401:
            test.assertEqual(headers.get("www-authenticate"), "Bearer", why)
        test.assertTrue(c.closed(), why + ": not closed, or a second answer: %r" % c.buffer[:200])


def check_headers(test, why, headers):
    test.assertEqual(headers.get("x-content-type-options"), "nosniff", why)
    test.assertEqual(headers.get("cache-control"), "no-store", why)
    test.assertIn("content-length", headers, why)
    test.assertIn("content-type", headers, why)
    test.assertNotIn("server", headers, why)


def check_problem(test, why, problem, status, code):
    test.assertEqual(problem["code"], code, "%s: %r" % (why, problem))
    test.assertEqual(problem["status"], status, why)
    test.assertEqual(problem["outcome"], "failed" if status >= 500 and status != 503 else "refused", why)
    for member in ("type", "title", "detail", "message"):
        test.assertTrue(problem[member], why)
