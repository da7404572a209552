"""Draws ``flow.svg``, in the folder of this file: ``python docs/flow/draw.py``.

It shows the way from ``DataLoader(...)`` to the first draw in a worker. ``tests/seeding/test_flow.py`` compares the
functions that are named here with the stack of a real worker, on each torch.
"""

import os
from xml.sax.saxutils import escape

PICTURE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "flow.svg")
WIDTH, LINE, PADDING, GAP = 370, 17, 9, 26  # of a box, of a line of text, around the text, between boxes
COLUMNS = (8, 412)
YOURS, TORCH, OURS = ("#e4e9f5", "#44588f"), ("#fde6d8", "#c2501c"), ("#d3efe2", "#157a55")  # to fill, for the edge
GREY = "#7d858f"  # for what lies on the page itself, light or dark

DATALOADER = "torch/utils/data/dataloader.py"
WORKER = "torch/utils/data/_utils/worker.py"

# Of a box: whose code it is, the line of code or the function, its file, what it does.
PARENT = [
    (YOURS, "loader = DataLoader(dataset, num_workers=2)", "", []),
    (TORCH, "DataLoader.__init__", DATALOADER, ["keeps your worker_init_fn, or None"]),
    (OURS, "_init_loader", "workerseed/_patch.py", ["stores the seeded init function next to it"]),
    (YOURS, "for batch in loader", "", ["torch makes a worker iterator"]),
    (OURS, "_init_iterator", "workerseed/_patch.py", ["shows the seeded init function while torch's runs"]),
    (
        TORCH,
        "_MultiProcessingDataLoaderIter.__init__",
        DATALOADER,
        [
            "(in torch 1.0 and 1.1 it is _DataLoaderIter)",
            "draws base_seed, reads loader.worker_init_fn,",
            "starts the workers with both",
        ],
    ),
]
CHILD = [
    (
        TORCH,
        "_worker_loop",
        WORKER,
        [
            "(in torch 1.0 dataloader.py has it)",
            "seeds random and torch, by base_seed + worker_id;",
            "from 1.9 on NumPy, too: then nothing is wrapped",
        ],
    ),
    (
        OURS,
        "SeededWorkerInit.__call__",
        "workerseed/_seeding.py",
        [
            "seeds np.random with the words that torch 1.9",
            "makes of base_seed and worker_id",
        ],
    ),
    (YOURS, "worker_init_fn(worker_id)", "", ["if you have one: it may seed otherwise"]),
    (YOURS, "dataset[index]", "", ["np.random draws for the first time"]),
]


def svg():
    """Return the picture, as the text of an SVG file."""
    shapes = []
    left = column(shapes, 0, "the process of your program, torch 1.0 to 1.8.1", PARENT, 48)
    last = left[-1]
    right = column(shapes, 1, "each worker", CHILD, 48)
    # From the side of the last box on the left up to the first one on the right.
    x, (top, bottom), (into, _) = COLUMNS[0] + WIDTH, last, right[0]
    middle, y = (COLUMNS[0] + WIDTH + COLUMNS[1]) / 2, (top + bottom) / 2
    arrow(shapes, f"M{x},{y:g} H{middle:g} V{into + 20} H{COLUMNS[1] - 7}")
    legend(shapes, COLUMNS[1], top + 2)
    width, height = COLUMNS[1] + WIDTH + 8, bottom + 8
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
            ' role="img">',
            "<title>From DataLoader(...) to the first draw in a worker, with workerseed</title>",
            "<style>",
            "text { font-family: system-ui, sans-serif; font-size: 13px; fill: #16181c }",
            ".code { font-family: monospace; font-size: 12px; font-weight: 600 }",
            ".file { font-family: monospace; font-size: 12px; fill: #4a4f57 }",
            ".title { font-weight: 600; fill: #ffffff }",
            "</style>",
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="4" refY="4" markerWidth="6" markerHeight="6" orient="auto">'
            f'<path d="M0,0 L8,4 L0,8 z" fill="{GREY}"/></marker></defs>',
            *shapes,
            "</svg>",
            "",
        ]
    )


def column(shapes, number, title, boxes, top):
    """Add a column of boxes and the arrows between them; return where each begins and ends."""
    x = COLUMNS[number]
    shapes.append(f'<rect x="{x}" y="8" width="{WIDTH}" height="26" rx="13" fill="#4b5361"/>')
    shapes.append(f'<text class="title" x="{x + WIDTH / 2:g}" y="25.5" text-anchor="middle">{escape(title)}</text>')
    places = []
    for colours, code, file, what in boxes:
        lines = [("code", code)] + [("file", file)] * bool(file) + [("", line) for line in what]
        if places:
            arrow(shapes, f"M{x + WIDTH / 2:g},{top - GAP} V{top - 7}")
        bottom = top + len(lines) * LINE + 2 * PADDING - 2
        box(shapes, x, top, WIDTH, bottom - top, colours)
        for i, (style, line) in enumerate(lines):
            y = top + PADDING + 12 + i * LINE
            shapes.append(f'<text class="{style}" x="{x + 12}" y="{y}">{escape(line)}</text>')
        places.append((top, bottom))
        top = bottom + GAP
    return places


def box(shapes, x, y, width, height, colours):
    """Add an empty box."""
    fill, edge = colours
    shapes.append(
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6" fill="{fill}" stroke="{edge}"'
        ' stroke-width="1.5"/>'
    )


def arrow(shapes, path):
    """Add an arrow along a path."""
    shapes.append(f'<path d="{path}" fill="none" stroke="{GREY}" stroke-width="2" marker-end="url(#tip)"/>')


def legend(shapes, x, y):
    """Add a box for each of the colours, and what it stands for."""
    for number, (colours, name) in enumerate([(YOURS, "your code"), (TORCH, "torch"), (OURS, "workerseed")]):
        left = x + number * 128
        box(shapes, left, y, 114, 26, colours)
        shapes.append(f'<text x="{left + 57}" y="{y + 17.5}" text-anchor="middle">{name}</text>')


if __name__ == "__main__":
    with open(PICTURE, "w") as file:
        file.write(svg())
