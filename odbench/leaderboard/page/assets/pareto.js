// The Time and quality view: time against quality, with the Pareto front.

function paretoView(scope) {
  const board = boardFor(scope);
  const slice = sliceFor(board, scope.slice);
  const front = slice.pareto?.[scope.metric];
  const title = "Time and quality";
  const label = labelOf(scope.metric);
  const nodes = [heading(`${title}: ${boardTitle(board)}`, `Median seconds to fit and score a data set, against mean ${label}. Configurations on the Pareto front are not beaten on both by any other.`), scopeBar(scope, ["slice", "metric"])];
  if (!front) nodes.push(el("p", { class: "note" }, "These results contain no times."));
  else {
    const points = front.method.map((m, k) => ({ method: data.methods[m], seconds: front.seconds[k], quality: front.quality[k], best: front.front[k] === 1 }));
    const figure = el("figure", { class: "chart" }, el("div", { class: "drawing" }), el("figcaption", {},
      "Filled dots, joined by the line, are on the Pareto front. Left is faster, up is better; the time axis is logarithmic."),
      figureDownloads(`${board.suite}-time-and-quality-${scope.metric}`));
    nodes.push(figure, paretoTable(board, points, scope));
    drawWhenSized(figure.firstChild, (width) => paretoPlot(points.filter((p) => p.seconds > 0 && !missing(p.quality)), width, label));
  }
  return { title, nodes };
}

function paretoPlot(points, width, label) {
  const height = Math.round(Math.min(520, Math.max(340, width * 0.5)));
  const box = { left: 58, right: width - 24, top: 30, bottom: height - 48 };
  const times = rangeOf(points.map((p) => Math.log10(p.seconds)));
  const values = rangeOf(points.map((p) => p.quality));
  const pad = (r, share) => [r[0] - share * (r[1] - r[0] || 1), r[1] + share * (r[1] - r[0] || 1)];
  const [t0, t1] = pad(times, 0.06), [v0, v1] = pad(values, 0.08);
  const x = (s) => box.left + ((Math.log10(s) - t0) / (t1 - t0)) * (box.right - box.left);
  const y = (v) => box.bottom - ((v - v0) / (v1 - v0)) * (box.bottom - box.top);
  const front = points.filter((p) => p.best).sort((a, b) => a.seconds - b.seconds);
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-labelledby": "pareto-title pareto-text" },
    svg("title", { id: "pareto-title" }, `Time against mean ${label}`),
    svg("desc", { id: "pareto-text" }, `On the front, fastest first: ${front.map((p) => methodLabel(p.method)).join(", ")}. The table below has the same numbers.`),
    paretoAxes(box, x, y, [t0, t1], [v0, v1], label),
    svg("path", { class: "front", d: stairs(front, x, y, box) }),
    points.map((p) => svg("circle", { class: p.best ? "dot" : "dot hollow", cx: x(p.seconds), cy: y(p.quality), r: p.best ? 5 : 4 },
      svg("title", {}, `${methodLabel(p.method)}: ${format.seconds(p.seconds)}, ${label} ${format.score(p.quality)}`))),
    pointLabels(points, x, y, box));
}

function stairs(front, x, y, box) {
  if (!front.length) return "";
  const parts = [`M ${x(front[0].seconds)} ${box.bottom} V ${y(front[0].quality)}`];
  for (const p of front.slice(1)) parts.push(`H ${x(p.seconds)} V ${y(p.quality)}`);
  return `${parts.join(" ")} H ${box.right}`;
}

function paretoAxes(box, x, y, times, values, label) {
  const powers = [];
  for (let e = Math.ceil(times[0]); e <= Math.floor(times[1]); e += 1) powers.push(10 ** e);
  const marks = powers.length > 1 ? powers : [10 ** times[0], 10 ** ((times[0] + times[1]) / 2), 10 ** times[1]];
  const words = (s) => (s >= 1 ? `${grouped.format(s)} s` : s >= 1e-3 ? `${Number((s * 1e3).toPrecision(2))} ms` : `${Number((s * 1e6).toPrecision(2))} µs`);
  return svg("g", {}, niceTicks(values[0], values[1], 6).map((v) => [
    svg("line", { class: "grid", x1: box.left, x2: box.right, y1: y(v), y2: y(v) }), svg("text", { class: "tick", x: box.left - 8, y: y(v) + 4, "text-anchor": "end" }, v.toFixed(2))]),
  marks.map((s) => [svg("line", { class: "grid", x1: x(s), x2: x(s), y1: box.top, y2: box.bottom }), svg("text", { class: "tick", x: x(s), y: box.bottom + 18, "text-anchor": "middle" }, words(s))]),
  svg("text", { class: "axis", x: box.left, y: 16 }, `Mean ${label}`),
  svg("text", { class: "axis", x: box.right, y: box.bottom + 38, "text-anchor": "end" }, "Median time to fit and score (log scale)"));
}

// Labels for the front first; a label that would overlap another is omitted.
function pointLabels(points, x, y, box) {
  const taken = points.map((p) => [x(p.seconds) - 5, y(p.quality) - 5, x(p.seconds) + 5, y(p.quality) + 5]);
  const clear = (r) => r[0] >= box.left && r[2] <= box.right && r[1] >= 18 && r[3] <= box.bottom &&
    taken.every((o) => r[2] < o[0] || r[0] > o[2] || r[3] < o[1] || r[1] > o[3]);
  const named = [];
  for (const p of [...points].sort((a, b) => b.best - a.best || b.quality - a.quality)) {
    const text = methodLabel(p.method);
    const wide = text.length * 6.6, cx = x(p.seconds), cy = y(p.quality);
    const besides = p.best ? [[cx - 8, cy - 9, "end"], [cx, cy - 10, "middle"]] : [];
    const spots = [...besides, [cx + 9, cy + 4, "start"], [cx - 9, cy + 4, "end"], [cx, cy - 10, "middle"], [cx, cy + 18, "middle"], [cx + 9, cy - 8, "start"], [cx - 9, cy - 8, "end"]];
    for (const [tx, ty, anchor] of spots) {
      const left = anchor === "start" ? tx : anchor === "end" ? tx - wide : tx - wide / 2;
      const area = [left, ty - 10, left + wide, ty + 2];
      if (!clear(area)) continue;
      taken.push(area);
      named.push(svg("text", { class: p.best ? "label strong" : "label", x: tx, y: ty, "text-anchor": anchor }, text));
      break;
    }
  }
  return named;
}

function paretoTable(board, points, scope) {
  const label = labelOf(scope.metric);
  return dataTable({ id: "main", caption: "Time and quality", showCaption: true, class: "narrow", rows: points, sort: "seconds", noun: ["configuration"],
    columns: [
      { key: "detector", label: "Detector", kind: "text", header: true, value: (p) => methodLabel(p.method), cell: (p) => methodLink(p.method) },
      { key: "seconds", label: "Median time", kind: "number", low: true, value: (p) => p.seconds, cell: (p) => format.seconds(p.seconds) },
      { key: "quality", label: `Mean ${label}`, kind: "number", value: (p) => p.quality, cell: (p) => barCell(format.score(p.quality), barOf(scope.metric, p.quality)) },
      { key: "front", label: "On the front", kind: "text", value: (p) => (p.best ? "yes" : "no") }],
    searchText: (p) => methodLabel(p.method), filter: "Filter detectors", file: `${board.suite}-time-and-quality-${scope.metric}` });
}
