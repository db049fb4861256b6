# Writes bar charts as SVG that is read as well aloud, in light and in dark.
from html import escape

WIDTH = 760
LEFT = 270  # of the bars: labels are before it
RIGHT = 90  # for the values
ROW = 26
TOP = 54

STYLE = """\
<style>
text { font: 13px sans-serif; fill: #24292f; }
.title { font-size: 15px; font-weight: bold; }
.small { fill: #57606a; }
.fits { fill: #2f6fb3; }
.over { fill: #b35c00; }
.bar { stroke: #24292f; stroke-dasharray: 5 4; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.small { fill: #9da7b3; }
.fits { fill: #6cb0f2; }
.over { fill: #f0a050; }
.bar { stroke: #e6edf3; }
}
</style>"""


def number(value):
    if value >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def bar_chart(title, unit, rows, bar=None, more_is_better=False, note=""):
    """`rows`: (label, value). `bar`: a line not to be passed; without one all look the same."""
    room = WIDTH - LEFT - RIGHT
    most = max([value for _, value in rows] + [bar or 0]) or 1
    height = TOP + ROW * len(rows) + 30
    spoken = "; ".join(f"{label}: {number(value)} {unit}" for label, value in rows)
    better = "longer is better" if more_is_better else "shorter is better"
    limit = f" Bar: {number(bar)} {unit}." if bar else ""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img" aria-labelledby="title desc">',
        f'<title id="title">{escape(title)}, {escape(unit)}</title>',
        f'<desc id="desc">{escape(spoken)}.{escape(limit)} {escape(note)}</desc>'.replace(
            " </desc>", "</desc>"),
        STYLE,
        f'<text class="title" x="10" y="24">{escape(title)}</text>',
        f'<text class="small" x="10" y="42">{escape(unit)}, {better}</text>',
    ]
    for index, (label, value) in enumerate(rows):
        y = TOP + ROW * index
        width = max(1.0, room * value / most)
        over = bar is not None and value > bar
        lines += [
            f'<text x="{LEFT - 10}" y="{y + 17}" text-anchor="end">{escape(label)}</text>',
            f'<rect class="{"over" if over else "fits"}" x="{LEFT}" y="{y + 4}" '
            f'width="{width:.1f}" height="{ROW - 8}" rx="2"/>',
            f'<text x="{LEFT + width + 6:.1f}" y="{y + 17}">{number(value)}</text>',
        ]
    bottom = TOP + ROW * len(rows)
    if bar is not None:
        x = LEFT + room * bar / most
        lines += [f'<line class="bar" x1="{x:.1f}" y1="{TOP - 4}" x2="{x:.1f}" y2="{bottom + 4}"/>',
                  f'<text class="small" x="{x:.1f}" y="{bottom + 20}" text-anchor="middle">'
                  f'bar: {number(bar)}</text>']
    return "\n".join([*lines, "</svg>", ""])
