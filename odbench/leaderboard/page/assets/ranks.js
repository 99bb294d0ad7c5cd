// The Critical differences view: average ranks, and groups without a significant difference.

function ranksView(scope) {
  const board = boardFor(scope);
  const slice = sliceFor(board, scope.slice);
  const tests = slice.tests?.[scope.metric];
  const title = "Critical differences";
  const nodes = [heading(`${title}: ${boardTitle(board)}`, tests ? friedmanWords(tests, slice, scope) : null), scopeBar(scope, ["slice", "metric"])];
  if (!tests || tests.ranks.length < 2) nodes.push(el("p", { class: "note" }, board.sets ? "At least two configurations are needed." : privateWords()));
  else {
    const figure = el("figure", { class: "chart" }, el("div", { class: "drawing" }),
      el("figcaption", {}, "Dots are average ranks, best at the top. A bar runs from the first to the last dot of a group whose average ranks differ by less than the critical difference (drawn to scale at the top): they do not differ significantly at the 5 % level."),
      figureDownloads(`${board.suite}-critical-differences-${scope.metric}`));
    nodes.push(figure, ranksTable(board, slice, tests, scope));
    drawWhenSized(figure.firstChild, (width) => rankDiagram(board, tests, width));
  }
  return { title, nodes };
}

function friedmanWords(tests, slice, scope) {
  const chi = missing(tests.statistic) ? "" : `Friedman test by ${labelOf(scope.metric)}: χ² = ${tests.statistic.toFixed(1)}, p ${tests.p < 0.001 ? "< 0.001" : `= ${tests.p.toFixed(3)}`}. `;
  return `${chi}Nemenyi critical difference: ${format.rank(tests.critical_difference)} ranks over ${plural(slice.n_sets, "data set")}${tests.n_families < slice.n_sets ? ` of ${plural(tests.n_families, "family", "families")}, which count as independent` : ""}.`;
}

function rankDiagram(board, tests, width) {
  const order = tests.ranks.map((_, i) => i).sort((a, b) => tests.ranks[a] - tests.ranks[b] || a - b);
  const place = new Map(order.map((i, at) => [i, at]));
  const bars = tests.cliques.map((c) => c.map((i) => place.get(i))).map((at) => [Math.min(...at), Math.max(...at)]);
  const row = 22, top = 64, labels = Math.min(210, width * 0.38), right = 52;
  const height = top + row * order.length + 12;
  const step = order.length > 12 ? 2 : 1;
  const range = [Math.max(1, Math.floor(tests.ranks[order[0]] - 0.5)), Math.ceil(tests.ranks[order.at(-1)] / step) * step];
  const plot = Math.max(60, width - labels - right);
  const x = (rank) => labels + ((rank - range[0]) / (range[1] - range[0] || 1)) * plot;
  const y = (at) => top + row * (at + 0.5);
  const ticks = niceTicks(range[0], range[1], Math.max(2, Math.floor(plot / 64)));
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-labelledby": "cd-title cd-text" },
    svg("title", { id: "cd-title" }, "Critical-difference diagram"),
    svg("desc", { id: "cd-text" }, `${order.length} configurations by average rank, from ${methodLabel(data.methods[board.methods[order[0]]])} to ${methodLabel(data.methods[board.methods[order.at(-1)]])}. The table below has the same numbers.`),
    ticks.map((v) => [svg("line", { class: "grid", x1: x(v), x2: x(v), y1: top - 6, y2: height - 8 }), svg("text", { class: "tick", x: x(v), y: top - 12, "text-anchor": "middle" }, String(v))]),
    svg("text", { class: "axis", x: labels, y: 12 }, "Average rank (lower is better)"),
    criticalBar(x, range[0], tests.critical_difference, plot),
    bars.map(([from, to]) => svg("path", { class: "clique", d: `M ${x(tests.ranks[order[from]])} ${y(from)} H ${x(tests.ranks[order[to]])} V ${y(to)}` })),
    order.map((i, at) => rankRow(board, tests, i, at, x, y, labels, width)));
}

function rankRow(board, tests, i, at, x, y, labels, end) {
  const method = data.methods[board.methods[i]];
  const room = Math.floor((labels - 10) / 7.4);
  const text = methodLabel(method);
  const short = text.length > room ? `${text.slice(0, room - 1)}…` : text;
  return svg("g", { class: "rank-row" }, svg("title", {}, `${text}: average rank ${format.rank(tests.ranks[i])}`),
    svg("line", { class: "leader", x1: labels, x2: x(tests.ranks[i]), y1: y(at), y2: y(at) }),
    svg("text", { class: "label", x: labels - 8, y: y(at) + 4, "text-anchor": "end" }, short),
    svg("circle", { class: "dot", cx: x(tests.ranks[i]), cy: y(at), r: 4 }),
    svg("text", { class: "value", x: end - 4, y: y(at) + 4, "text-anchor": "end" }, format.rank(tests.ranks[i])));
}

function criticalBar(x, first, distance, plot) {
  const start = x(first), end = Math.min(x(first + distance), start + plot);
  return svg("g", { class: "cd-scale" }, svg("line", { x1: start, x2: end, y1: 26, y2: 26 }), svg("line", { x1: start, x2: start, y1: 22, y2: 30 }), svg("line", { x1: end, x2: end, y1: 22, y2: 30 }),
    svg("text", { class: "tick", x: end + 6, y: 30 }, `CD = ${format.rank(distance)}`));
}

function ranksTable(board, slice, tests, scope) {
  const groups = tests.ranks.map(() => []);
  tests.cliques.forEach((members, k) => members.forEach((i) => groups[i].push(k + 1)));
  return dataTable({ id: "main", caption: "Average ranks and groups", showCaption: true, class: "narrow", rows: tests.ranks.map((_, i) => i), sort: "rank", noun: ["configuration"],
    columns: [
      { key: "detector", label: "Detector", kind: "text", header: true, value: (i) => methodLabel(data.methods[board.methods[i]]), cell: (i) => methodLink(data.methods[board.methods[i]]) },
      { key: "rank", label: "Average rank", kind: "number", low: true, value: (i) => tests.ranks[i], cell: (i) => format.rank(tests.ranks[i]) },
      { key: "groups", label: "Groups", kind: "text", title: "Groups without a significant difference that contain this configuration; each is a bar above", value: (i) => groups[i].join(" "), cell: (i) => (groups[i].length ? groups[i].join(", ") : "none") }],
    searchText: (i) => methodLabel(data.methods[board.methods[i]]), filter: "Filter detectors", file: `${board.suite}-ranks-${scope.metric}` });
}
