"""How the simulated Entra ID's pages look: one plain page without script."""

from __future__ import annotations

import html

from simulator.web.message import Response

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} - simulated Microsoft Entra ID</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 0; background: #f3f4f6; color: #1f2328; }}
main {{ max-width: 30rem; margin: 3rem auto; padding: 1.5rem 2rem; background: #fff;
  border: 1px solid #d0d7de; border-radius: 8px; }}
h1 {{ font-size: 1.4rem; margin: 0 0 .5rem; }}
ul {{ list-style: none; padding: 0; margin: 1rem 0 0; }}
button {{ width: 100%; margin: .3rem 0; padding: .7rem 1rem; font: inherit; text-align: left;
  background: #fff; color: inherit; border: 1px solid #6e7781; border-radius: 6px; cursor: pointer; }}
button:hover {{ background: #eef4ff; }}
button:focus-visible {{ outline: 3px solid #0a5dc2; outline-offset: 2px; }}
button small {{ display: block; color: #57606a; }}
input {{ font: inherit; padding: .5rem; border: 1px solid #6e7781; border-radius: 6px; }}
label {{ display: block; margin-top: 1rem; }}
</style>
</head>
<body><main>
<h1>{title}</h1>
{content}
</main></body>
</html>
"""


def page(title: str, content: str, status: int = 200) -> Response:
    """A page with this title; ``content`` is HTML already."""
    text = PAGE.format(title=html.escape(title), content=content)
    return Response.of_html(text, status).with_header("Cache-Control", "no-store")
