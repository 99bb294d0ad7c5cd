// The Data sets view and the page of one data set.

function datasetsView(scope) {
  const board = boardFor(scope);
  const slice = sliceFor(board, scope.slice);
  const title = `Data sets of ${suiteOf(board.suite).title}`;
  const nodes = [heading(title, leadOf(board, slice)), scopeBar(scope, ["slice"])];
  if (!board.sets) nodes.push(privateNote());
  else nodes.push(datasetsTable(board, slice));
  return { title, nodes };
}

function privateWords() {
  return "For a private partition only the leaderboard is published, because finer results would reveal its labels.";
}

function privateNote() {
  return el("p", { class: "note" }, privateWords());
}

function datasetsTable(board, slice) {
  const best = column(board.sets[`best_${PRIMARY.name}`]);
  const middle = column(board.sets[`median_${PRIMARY.name}`]);
  const rows = setsOf(board, slice).map((t) => ({ t }));
  const number = (key, label, title) => ({ ...countColumn(board, key, label), title });
  const word = (key, label) => ({ key, label, kind: "text", value: (r) => fact(board, key, r.t) ?? "" });
  const score = (key, label, values, title) => ({ key, label, title, kind: "number", value: (r) => values[r.t],
    cell: (r) => barCell(format.score(values[r.t]), barOf(PRIMARY.name, values[r.t])) });
  const columns = [
    { key: "dataset", label: "Data set", kind: "text", header: true, value: (r) => board.sets.name[r.t], cell: (r) => setLink(board, r.t) },
    number("n_train", "Train"), number("n_test", "Test"), number("n_columns", "Columns"),
    { key: "anomaly_share", label: "Anomalies", kind: "number", title: "Share of anomalies among the test rows", value: (r) => anomalyShare(board, r.t), cell: (r) => format.percent(anomalyShare(board, r.t)) },
    word("domain", "Domain"), word("archetype", "Archetype"),
    score(`median_${PRIMARY.name}`, `Median ${PRIMARY.label}`, middle, `Median ${PRIMARY.label} of all configurations`),
    score(`best_${PRIMARY.name}`, `Best ${PRIMARY.label}`, best, `Best ${PRIMARY.label} of all configurations`)];
  const kept = columns.filter((c) => c.kind !== "text" || c.header || rows.some((r) => c.value(r)));
  return dataTable({ id: "main", caption: "Data sets", rows, columns: kept, sort: "dataset", noun: ["data set"],
    searchText: (r) => [board.sets.name[r.t], fact(board, "domain", r.t), fact(board, "archetype", r.t)].join(" "),
    filter: "Filter data sets", file: `${board.suite}-datasets`, files: filesOf(board, "per_dataset") });
}

function anomalyShare(board, t) {
  const n = fact(board, "n_anomalies", t);
  return missing(n) ? null : n / fact(board, "n_test", t);
}

function datasetView(scope, [suite, name]) {
  // A table of another protocol may have the data set where the chosen one does not.
  const has = (b) => b?.suite === suite && b.sets?.name.includes(name);
  const board = [boardFor({ ...scope, suite }), ...data.boards].find(has);
  const t = board ? board.sets.name.indexOf(name) : -1;
  if (t < 0) return notFound(`Unknown data set: ${suite ?? ""}/${name ?? ""}.`);
  return { title: `${suite}/${name}`, nodes: [
    el("p", { class: "crumbs" }, el("a", { href: linkTo("datasets", [], { suite }) }, suiteOf(suite).title), " / Data set"),
    heading(name, null), datasetFacts(board, t), auditTable(board, t),
    detectorsTable(board, t),
    failureTable(board, "set-failures", (f) => f.set === t, "Failures on this data set")] };
}

function datasetFacts(board, t) {
  const source = fact(board, "source_url", t);
  const slices = board.slices.filter((s) => s.key !== "all" && isSet(sliceMask(s), t));
  return factList([
    ["Suite", `${suiteOf(board.suite).title}, ${board.partition}`],
    ["Train rows", format.count(fact(board, "n_train", t))], ["Test rows", format.count(fact(board, "n_test", t))],
    ["Columns", format.count(fact(board, "n_columns", t))],
    ["Anomalies", `${format.count(fact(board, "n_anomalies", t))} (${format.percent(anomalyShare(board, t))} of the test rows)`],
    ["Domain", fact(board, "domain", t)], ["Archetype", fact(board, "archetype", t)], ["Family", fact(board, "family", t)],
    ["Licence", fact(board, "licence", t)], ["Source", source ? outwardLink(source) : null],
    ["Content (SHA-256)", fact(board, "content_sha256", t) ? el("code", { class: "hash" }, fact(board, "content_sha256", t)) : null],
    ["Slices", slices.length ? slices.map((s, i) => [i ? ", " : "", el("a", { href: linkTo("leaderboard", [], { suite: board.suite, slice: s.key }) }, s.label)]) : null],
  ]);
}

const AUDIT = [
  ["label_conflict", "Label conflict", "At least one anomaly has the same values as an inlier", (x) => (x ? "yes" : "no")],
  ["test_in_train", "Test rows also in train", "Share of the test rows that also occur in train, with identical values", (x) => format.percent(x)],
  ["anomalies_in_train", "Anomalies also in train", "Share of the anomalies that also occur in train, with identical values", (x) => format.percent(x)],
  ["duplicate_train", "Duplicates in train", "Share of the train rows that duplicate another train row", (x) => format.percent(x)],
  ["n_distinct_anomalies", "Distinct anomalies", "Anomalies that are left if each vector counts once", (x) => format.count(x)],
  ["ceiling_auroc", "Best AUROC", "The best that any score of these rows can reach; below 1 if anomalies and inliers share all values", (x) => format.score(x)],
  ["ceiling_ap", "Best AP", "The same for AP", (x) => format.score(x)],
  ["trivial_share", "Found by one rule", "Share of the anomalies that one rule on one column or axis finds at 5 % false positives", (x) => format.percent(x)],
  ["large_integers", "Rounded columns", "Columns of whole numbers too large for float64 to hold all digits", (x) => format.count(x)],
];

function auditTable(board, t) {
  const rows = AUDIT.map(([key, ...rest]) => [fact(board, key, t), ...rest]).filter(([value]) => !missing(value));
  if (!rows.length) return el("p", { class: "fine" }, "These results contain no audit of this data set.");
  return el("section", { class: "table-block" }, el("h2", { class: "block-title" }, "Audit"), el("div", { class: "scroller", role: "region", tabindex: "0", "aria-label": "Audit" }, el("table", { class: "data compact narrow" }, el("caption", { class: "visually-hidden" }, "Audit"),
    el("thead", {}, el("tr", {}, ["Fact", "Value", "Meaning"].map((h) => el("th", { scope: "col" }, h)))),
    el("tbody", {}, rows.map(([value, label, meaning, write]) => el("tr", {}, el("th", { scope: "row" }, label),
      el("td", {}, write(value)), el("td", { class: "wide" }, meaning)))))));
}

function detectorsTable(board, t) {
  const rows = board.methods.map((m, i) => ({ method: data.methods[m], i }));
  const value = (name) => (r) => cell(board, name, t, r.i);
  const rank = (name, text, title) => ({ key: name, label: text, title, kind: "number", low: true, class: "place", value: value(name), cell: (r) => format.place(value(name)(r)) });
  const scored = ({ name, label, interval }) => (interval && hasIntervals(board, t) ? withEnds(board, t, name, label) : { key: name, label, kind: "number", value: value(name),
    cell: (r) => barCell(format.score(value(name)(r)), barOf(name, value(name)(r))) });
  const seconds = (name, text) => ({ key: name, label: text, kind: "number", low: true, value: value(name), cell: (r) => format.seconds(value(name)(r)) });
  const ends = hasIntervals(board, t) ? ENDS.map((key) => ({ key, value: value(key) })) : [];
  const table = dataTable({ id: "main", caption: "Every configuration on this data set", extra: ends, showCaption: true, rows, noun: ["configuration"], sort: `rank_${PRIMARY.name}`,
    columns: [
      rank(`rank_${PRIMARY.name}`, "Rank", `Rank by ${PRIMARY.label} on this data set, ties averaged`),
      { key: "detector", label: "Detector", kind: "text", header: true, value: (r) => methodLabel(r.method), cell: (r) => [methodLink(r.method), seenMark(board, t, r.i)] },
      ...data.metrics.filter((m) => board.cells[m.name]).map(scored),
      ...data.metrics.filter((m) => m !== PRIMARY && board.cells[m.name]).map((m) => rank(`rank_${m.name}`, `Rank ${m.label}`, `Rank by ${m.label} on this data set, ties averaged`)), seconds("fit_seconds", "Fit"), seconds("score_seconds", "Score"),
      { key: "failed", label: "Failed", kind: "number", low: true, value: value("failed"), cell: (r) => failedOf(board, t, r.i) }],
    searchText: (r) => methodLabel(r.method), filter: "Filter detectors", file: `${board.suite}-${board.sets.name[t]}`.replace(/[^\w.-]+/g, "_"), files: filesOf(board, "per_dataset") });
  const seen = rows.some((r) => hasSeen(board, t, r.i));
  return el("div", {}, table, seen ? el("p", { class: "fine" }, SEEN_WORDS) : null, el("p", { class: "fine" }, ends.length
    ? "Bars are 95 % intervals for other test rows of the same kind (AUROC: DeLong and Newcombe; AP: Wilson), averaged over the seeds. They are missing if a trial failed or its scores were not kept."
    : "No intervals: the runs behind these results did not keep their scores (--keep-scores)."));
}

const SEEN_WORDS = "† Its weights were trained on this data set. The slice “not seen in training” leaves such data sets out.";

function hasSeen(board, t, i) {
  return Boolean(board.cells.seen) && cell(board, "seen", t, i) > 0;
}

function seenMark(board, t, i) {
  return hasSeen(board, t, i) ? [" ", el("abbr", { title: "Its weights were trained on this data set" }, "†")] : null;
}

const ENDS = data.metrics.filter((m) => m.interval).flatMap((m) => [`${m.name}_low`, `${m.name}_high`]);

function hasIntervals(board, t) {
  return ENDS.every((key) => board.methods.some((_, i) => !missing(cell(board, key, t, i))));
}

// A column of values with their intervals, on the same scale in all rows.
function withEnds(board, t, name, text) {
  const at = (key) => (r) => cell(board, key, t, r.i);
  const all = (key) => board.methods.map((_, i) => cell(board, key, t, i));
  const range = rangeOf(all(name), all(`${name}_low`), all(`${name}_high`));
  return { key: name, label: text, kind: "number", title: `${text} with its 95 % interval`, value: at(name),
    cell: (r) => intervalCell(at(name)(r), at(`${name}_low`)(r), at(`${name}_high`)(r), range, { write: format.share, spelt: true }) };
}
