"""Draws ``flow.svg``, in the folder of this file: ``python docs/flow/draw.py``.

It shows how the reseeding step gets from a loader to a worker. ``tests/seeding/test_pages.py`` compares the functions
that are named here with the stack of a real worker, on each torch.
"""

import os
from xml.sax.saxutils import escape

PICTURE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "flow.svg")
WIDTH, LINE, PADDING, GAP = 384, 22, 13, 34  # of a box, of a line of text, around the text, between boxes

# Of a box: its title, the function that does it, its lines as (whose code, what it does); what goes to the next box.
BOXES = [
    ("The loader", "DataLoader.__init__", [("torch", "keeps your worker_init_fn")], "worker_init_fn"),
    (
        "The iterator",
        "SeededAttribute.__set__",
        [("workerseed", "puts its step in front")],
        "step + worker_init_fn",
    ),
    (
        "The worker",
        "SeededWorkerInit.__call__",
        [("torch", "seeds random and torch"), ("workerseed", "seeds NumPy")],
        "worker_id",
    ),
    ("Your function", "worker_init_fn", [("It", "runs last and can override all of it")], ""),
]

STYLE = """
text { font: 17px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 700 }
.small { font-size: 15px; fill: #59636e }
.code { font: 13px monospace; fill: #59636e }
.box { fill: #f6f8fa; stroke: #818b98; stroke-width: 1.5 }
.arrow { fill: none; stroke: #818b98; stroke-width: 2.5 }
.tip { fill: #818b98 }
.workerseed { fill: #116b46; font-weight: 600 }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc }
  .small, .code { fill: #b1bac4 }
  .box { fill: #151b23; stroke: #9198a1 }
  .arrow { stroke: #9198a1 }
  .tip { fill: #9198a1 }
  .workerseed { fill: #5bd6a2 }
}
"""


def svg():
    """Return the picture, as the text of an SVG file."""
    shapes, top = [], 8
    for title, function, lines, along in BOXES:
        bottom = top + (len(lines) + 1) * LINE + 2 * PADDING - 6
        shapes.append(f'<rect class="box" x="8" y="{top}" width="{WIDTH}" height="{bottom - top}" rx="8"/>')
        y = top + PADDING + 14
        text(shapes, 24, y, title, "title")
        shapes.append(f'<text class="code" x="{WIDTH - 8}" y="{y}" text-anchor="end">{escape(function)}</text>')
        for number, (whose, what) in enumerate(lines, 1):
            text(shapes, 24, y + number * LINE, f"{whose} {what}", whose)
        if along:
            shapes.append(f'<path class="arrow" d="M200,{bottom} V{bottom + GAP - 8}" marker-end="url(#tip)"/>')
            text(shapes, 214, bottom + 22, along, "small")
        top = bottom + GAP
    height = top - GAP + 8
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 {height}" width="400" height="{height}"'
            ' role="img">',
            "<title>From the loader through the iterator to the worker and your function</title>",
            f"<style>{STYLE}</style>",
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="4" refY="4" markerWidth="5" markerHeight="5" orient="auto">'
            '<path class="tip" d="M0,0 L8,4 L0,8 z"/></marker></defs>',
            *shapes,
            "</svg>",
            "",
        ]
    )


def text(shapes, x, y, line, style):
    """Add a line of text."""
    shapes.append(f'<text class="{style}" x="{x}" y="{y}">{escape(line)}</text>')


if __name__ == "__main__":
    with open(PICTURE, "w") as file:
        file.write(svg())
