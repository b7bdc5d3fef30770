#!/usr/bin/env python3
"""Makes access.log: a day of a small site in the combined log format of Apache and nginx. The same bytes every time.

    python3 generate.py > access.log
"""

STATE = 20130101


def below(n):
    """A number below n, from a generator of our own: Python's may change between versions."""
    global STATE
    STATE = (STATE * 6364136223846793005 + 1442695040888963407) % 2**64
    return (STATE >> 33) % n


def pick(weighted):
    at = below(sum(weight for _, weight in weighted))
    for value, weight in weighted:
        if at < weight:
            return value
        at -= weight


PATHS = [("/", 30), ("/about", 8), ("/products", 20), ("/products/17", 9), ("/products/42", 12), ("/cart", 9),
         ("/checkout", 5), ("/search?q=flume", 6), ("/search?q=parshall+flume&page=2", 3), ("/static/app.css", 22),
         ("/static/app.js", 22), ("/favicon.ico", 7), ("/old-page", 3), ("/wp-login.php", 5), ("/api/orders", 6)]
# TLS spoken to a port that expects plain HTTP: a valid line whose request is none.
NO_REQUEST = "\\x16\\x03\\x01\\x02"
AGENTS = [("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", 30),
          ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15", 25),
          ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36", 40),
          ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", 8), ("curl/8.8.0", 4), ("-", 3)]
REFERERS = [("-", 50), ("https://shop.example/", 25), ("https://shop.example/products", 15), ("https://search.example/?q=\\\"flume\\\"", 5)]
# What is found in real logs beside requests: each is a line that no parser of the format can accept.
NOISE = ["nginx: [warn] conflicting server name \"shop.example\" on 0.0.0.0:80, ignored",
         "203.0.113.9 - - [01/Jan/2024:12:00:00 +0000] \"GET /products HTTP/1.1\" 200",
         "\tat com.example.Shop.checkout(Shop.java:42)",
         "198.51.100.7 - - [not a time] \"GET / HTTP/1.1\" 200 512 \"-\" \"curl/8.8.0\"",
         "203.0.113.80 - - [01/Jan/2024:25:61:00 +0000] \"GET / HTTP/1.1\" 200 512 \"-\" \"curl/8.8.0\"",
         "198.51.100.20 - - [01/Jan/2024:09:14:02 +0000] \"GET /about HTTP/1.1\" OK 512 \"-\" \"curl/8.8.0\"",
         "203.0.113.14 - - [01/Jan/2024:10:31:44 +0000] \"GET /cart HTTP/1.1 200 512 - curl/8.8.0"]


def request():
    method, path = "GET", pick(PATHS)
    if path in ("/cart", "/checkout", "/api/orders", "/wp-login.php") and below(2):
        method = "POST"
    if path == "/wp-login.php":
        status = pick([(404, 9), (403, 1)])
    elif path == "/old-page":
        status = 301
    elif path.startswith("/static") or path == "/favicon.ico":
        status = pick([(200, 6), (304, 4)])
    elif path in ("/checkout", "/api/orders"):
        status = pick([(200, 16), (302, 2), (400, 1), (500, 1), (503, 1)])
    else:
        status = pick([(200, 60), (404, 1), (500, 1)])
    size = {304: "-", 301: "178", 302: "0", 403: "153", 404: "153", 500: "592", 503: "592"}.get(status, str(300 + below(30000)))
    return method, path, status, size


def main():
    second = 0
    for number in range(2000):
        second += below(86)
        host = pick([(f"203.0.113.{1 + below(60)}", 30), (f"198.51.100.{1 + below(60)}", 20), (f"2001:db8::{below(65536):x}", 5)])
        user = pick([("-", 40), ("ada", 1), ("grace", 1)])
        method, path, status, size = request()
        asked = f"{method} {path} HTTP/1.1"
        if below(300) == 0:
            asked, status, size = NO_REQUEST, 400, "157"
        time = f"01/Jan/2024:{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02} +0000"
        line = f'{host} - {user} [{time}] "{asked}" {status} {size} "{pick(REFERERS)}" "{pick(AGENTS)}"'
        print(NOISE[number // 97 % len(NOISE)] if number % 97 == 96 else line)


main()
