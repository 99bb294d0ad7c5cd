// The Win rates view: a table of win rates between configurations, coloured as a heat map.

function winratesView(scope) {
  const board = boardFor(scope);
  const slice = sliceFor(board, scope.slice);
  const title = "Win rates";
  const nodes = [heading(`${title}: ${boardTitle(board)}`, `Share of ${plural(slice.n_sets, "data set")} on which the row's configuration has a higher ${labelOf(scope.metric)} than the column's; a tie counts half. Sorted by average rank, best first.`),
    scopeBar(scope, ["slice", "metric"])];
  if (!slice.wins) nodes.push(el("p", { class: "note" }, board.sets ? "At least two configurations are needed." : privateWords()));
  else nodes.push(heatMap(board, slice, scope));
  return { title, nodes };
}

function rankOrder(slice, metric) {
  const ranks = slice.tests[metric].ranks;
  return ranks.map((_, i) => i).sort((a, b) => ranks[a] - ranks[b] || a - b);
}

function heatMap(board, slice, scope) {
  const order = rankOrder(slice, scope.metric);
  const m = order.length;
  const method = (i) => data.methods[board.methods[i]];
  const share = (i, j) => winShare(slice, scope.metric, m, i, j);
  const corner = el("td", { class: "corner" }, hidden("Row against column"));
  const head = el("tr", {}, corner, order.map((j, at) => el("th", { scope: "col", class: "slanted", title: methodLabel(method(j)) },
    el("span", { "aria-hidden": "true" }, String(at + 1)), hidden(methodLabel(method(j))))));
  const rows = order.map((i, at) => el("tr", {}, el("th", { scope: "row" }, el("span", { class: "place" }, `${at + 1}`), " ", methodLink(method(i))),
    order.map((j) => (i === j ? el("td", { class: "self" }, hidden("itself")) : winCell(share(i, j), method(i), method(j))))));
  const save = () => offerDownload(`${board.suite}-${board.partition}-win-rates-${scope.metric}.csv`,
    csvText(["row", ...order.map((j) => methodLabel(method(j)))], order.map((i) => [methodLabel(method(i)), ...order.map((j) => (i === j ? null : share(i, j)))])));
  return el("section", { class: "table-block" },
    el("div", { class: "toolbar" }, heatLegend(), el("div", { class: "downloads" }, el("button", { type: "button", class: "quiet", id: "csv-wins", onclick: save }, "Download as CSV"))),
    el("div", { class: "scroller", role: "region", tabindex: "0", "aria-label": "Win rates, row against column" },
      el("table", { class: "heat" }, el("caption", { class: "visually-hidden" }, "Win rates in per cent, row against column"), el("thead", {}, head), el("tbody", {}, rows))));
}

function winCell(share, row, other) {
  if (missing(share)) return el("td", {}, DASH);
  const strength = Math.min(1, Math.abs(share - 0.5) * 2);
  return el("td", { class: share >= 0.5 ? "win" : "loss", vars: { "--strength": strength.toFixed(3) },
    title: `${methodLabel(row)} against ${methodLabel(other)}: ${format.percent(share)}` }, String(Math.round(100 * share)));
}

function heatLegend() {
  const steps = [0, 0.25, 0.5, 0.75, 1];
  return el("p", { class: "legend" }, "Wins in per cent: ", steps.map((s) => el("span", {
    class: `swatch ${s >= 0.5 ? "win" : "loss"}`, vars: { "--strength": Math.abs(s - 0.5) * 2 } }, String(100 * s))));
}
