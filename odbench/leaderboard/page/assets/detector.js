// The page of one configuration: its ranks, wins, losses and failures.

function detectorView(scope, [key]) {
  const m = data.methods.findIndex((method) => method.key === key);
  if (m < 0) return notFound(`Unknown configuration: ${key ?? ""}.`);
  const method = data.methods[m];
  const board = boardFor(scope);
  const title = methodLabel(method);
  const place = board.methods.indexOf(m);
  const nodes = [
    el("p", { class: "crumbs" }, el("a", { href: linkTo("leaderboard") }, "Leaderboard"), " / Detector"),
    heading(title, null), methodFacts(method), standingsTable(m), scopeBar(scope, ["slice", "metric"]),
  ];
  if (place < 0) nodes.push(el("p", { class: "note" }, `${boardTitle(board)} has no results of this configuration.`));
  else {
    const slice = sliceFor(board, scope.slice);
    nodes.push(bySliceTable(board, m));
    if (board.cells) nodes.push(extremes(board, slice, place, scope.metric), perSetTable(board, slice, place, scope.metric));
    nodes.push(opponentsTable(board, slice, place, scope.metric), failureTable(board, "own-failures",
      (f) => f.method === m, `Failures of ${title}`));
  }
  return { title, nodes };
}

function methodFacts(method) {
  const family = data.methods.filter((other) => other.detector === method.detector && other.key !== method.key && !other.view);
  const rows = [
    ["Configuration", method.config === "default" ? "default" : method.config],
    ["Version", method.version], ["Identifier", method.config_id],
    ["Reference", method.reference ? outwardLink(method.reference) : null],
    ["Deterministic", method.deterministic === null ? null : method.deterministic ? "yes, run once" : "no, run with several seeds"],
    ["Inductive", method.inductive === null ? null : method.inductive ? "yes: a row's score does not depend on the batch" : "no: a row's score depends on the batch"],
    ["Parameters", parameterList(method)],
    ["Other configurations", family.length ? family.map((other, i) => [i ? ", " : "", el("a", { href: linkTo("detector", [other.key]) }, other.config)]) : null],
  ];
  return factList(rows);
}

function parameterList(method) {
  if (!method.params?.length) return null;
  return method.params.map(([name, value], i) => [i ? ", " : "", el("code", {}, `${name} = ${value}`)]);
}

function factList(rows) {
  return el("dl", { class: "facts" }, rows.filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

const STANDING = ["place", "mean_auroc", "mean_ap", "place_ap", "elo_auroc", "rank_auroc", "win_rate", "n_failed"];

// The rows of one method in several tables, as columns, with a name for each table.
function linesOf(m, entries) {
  const lines = { method: [], names: [], decimals: [] };
  for (const { table, name } of entries) {
    const at = table.method.indexOf(m);
    if (at < 0) continue;
    lines.names.push(name);
    lines.decimals.push(table.decimals ?? null);
    for (const key of [...STANDING, ...["place", "place_ap", "elo_auroc"].flatMap((name) => [`${name}_low`, `${name}_high`]), "n_datasets"]) {
      (lines[key] ??= []).push(table[key]?.[at] ?? null);
    }
  }
  return lines;
}

function standingsTable(m) {
  const entries = data.boards.map((board) => ({
    table: board.slices[0].tables.each, name: { text: `${boardTitle(board)}${board.protocol === "one-class" ? "" : `, ${board.protocol}`}`, board },
  }));
  const lines = linesOf(m, entries);
  return lineTable("standings", "Results in every suite", lines, "Suite and partition", ["table", "tables"], (name) => el("a", {
    href: hashOf("leaderboard", [], { suite: name.board.suite, partition: name.board.partition, protocol: name.board.protocol }) }, name.text));
}

function bySliceTable(board, m) {
  const entries = board.slices.map((slice) => ({ table: slice.tables.each, name: {
    text: slice.key === "all" ? "All data sets" : `${slice.group}: ${slice.label}`, slice } }));
  const lines = linesOf(m, entries);
  lines.n_sets = lines.names.map((name) => name.slice.n_sets);
  return lineTable("slices", `By slice of ${boardTitle(board)}`, lines, "Slice", ["slice"],
    (name) => el("a", { href: linkTo("leaderboard", [], { slice: name.slice.key }) }, name.text));
}

function lineTable(id, caption, lines, label, noun, link) {
  const keys = STANDING.filter((key) => lines[key]?.some((x) => !missing(x)));
  const sizes = lines.n_sets ? [{ key: "n_sets", label: "Data sets", kind: "number", value: (i) => lines.n_sets[i], cell: (i) => format.count(lines.n_sets[i]) }] : [];
  return dataTable({
    id, caption, showCaption: true, rows: lines.names.map((_, i) => i), noun, sort: "",
    columns: [{ key: "name", label, kind: "text", header: true, value: (i) => lines.names[i].text, cell: (i) => link(lines.names[i]) },
      ...sizes, ...keys.map((key) => metricColumn(key, lines))],
    searchText: (i) => lines.names[i].text,
  });
}

function perSetRows(board, slice, place, metric) {
  const middle = column(board.sets[`median_${metric}`]);
  return setsOf(board, slice).map((t) => {
    const value = cell(board, metric, t, place);
    return { t, value, delta: value - middle[t], rank: cell(board, `rank_${metric}`, t, place) };
  });
}

function setColumns(board, place, metric, widest) {
  const label = labelOf(metric);
  return [
    { key: "dataset", label: "Data set", kind: "text", header: true, value: (r) => board.sets.name[r.t], cell: (r) => setLink(board, r.t) },
    { key: metric, label, kind: "number", title: `Mean ${label} over the seeds; failures count as in the main table`, value: (r) => r.value, cell: (r) => barCell(format.score(r.value), barOf(metric, r.value)) },
    { key: "delta", label: "vs. median", kind: "number", title: `${label} minus the median of all configurations on this data set`, value: (r) => r.delta, cell: (r) => deltaCell(r.delta, widest) },
    { key: "rank", label: "Rank", kind: "number", low: true, title: "Rank on this data set, ties averaged", value: (r) => r.rank, cell: (r) => format.place(r.rank) },
  ];
}

function perSetTable(board, slice, place, metric) {
  const rows = perSetRows(board, slice, place, metric);
  const widest = rangeOf(rows.map((r) => Math.abs(r.delta)))[1];
  const columns = [...setColumns(board, place, metric, widest),
    countColumn(board, "n_train", "Train rows"), countColumn(board, "n_columns", "Columns"),
    { key: "fit_seconds", label: "Fit", kind: "number", low: true, value: (r) => cell(board, "fit_seconds", r.t, place), cell: (r) => format.seconds(cell(board, "fit_seconds", r.t, place)) },
    { key: "failed", label: "Failed", kind: "number", low: true, title: "Failed trials out of all trials on this data set", value: (r) => cell(board, "failed", r.t, place), cell: (r) => failedOf(board, r.t, place) }];
  return dataTable({ id: "sets", caption: "Every data set", showCaption: true, rows, columns, sort: "rank", noun: ["data set"],
    searchText: (r) => board.sets.name[r.t], filter: "Filter data sets", file: `${methodLabel(data.methods[board.methods[place]])}-${board.suite}`.replace(/[^\w.-]+/g, "_"), files: filesOf(board, "per_dataset") });
}

function countColumn(board, key, label) {
  return { key, label, kind: "number", value: (r) => fact(board, key, r.t), cell: (r) => format.count(fact(board, key, r.t)) };
}

function failedOf(board, t, place) {
  const failed = cell(board, "failed", t, place);
  return failed ? el("span", { class: "status status-failed" }, `${failed} of ${cell(board, "trials", t, place)}`) : "0";
}

// The data sets with the largest differences to the median of all configurations.
function extremes(board, slice, place, metric) {
  const rows = perSetRows(board, slice, place, metric).filter((r) => !missing(r.delta)).sort((a, b) => b.delta - a.delta);
  const best = rows.slice(0, 8).filter((r) => r.delta > 0);
  const worst = rows.slice(-8).reverse().filter((r) => r.delta < 0);
  const widest = rangeOf([...best, ...worst].map((r) => Math.abs(r.delta)))[1];
  const small = (id, caption, list) => dataTable({ id, caption, showCaption: true, rows: list, sort: "", noun: ["data set"],
    columns: setColumns(board, place, metric, widest), searchText: (r) => board.sets.name[r.t], class: "compact", sortable: false, bare: true });
  return el("div", { class: "pair" }, small("wins", "Where it wins most", best), small("losses", "Where it loses most", worst));
}

function opponentsTable(board, slice, place, metric) {
  if (!slice.wins) return null;
  const m = board.methods.length;
  const rows = board.methods.map((other, j) => ({ other: data.methods[other], share: winShare(slice, metric, m, place, j), j })).filter((r) => r.j !== place);
  return dataTable({ id: "opponents", caption: "Win rate against each other configuration", showCaption: true, class: "narrow", rows, sort: "share", noun: ["opponent"],
    columns: [
      { key: "opponent", label: "Opponent", kind: "text", header: true, value: (r) => methodLabel(r.other), cell: (r) => methodLink(r.other) },
      { key: "share", label: "Wins", kind: "number", title: "Share of the data sets on which this configuration is better, a tie counting half", value: (r) => r.share, cell: (r) => barCell(format.percent(r.share), r.share) }],
    searchText: (r) => methodLabel(r.other), filter: "Filter opponents" });
}
