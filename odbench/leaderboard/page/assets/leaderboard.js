// The Leaderboard view: one row per configuration, for a suite, partition and slice.

function leaderboardView(scope) {
  const board = boardFor(scope);
  if (board.closed) return closedView(board, scope);
  const slice = sliceFor(board, scope.slice);
  const view = Object.hasOwn(slice.tables, scope.view) ? scope.view : "each";
  const table = slice.tables[view];
  return {
    title: boardTitle(board),
    nodes: [
      heading(boardTitle(board), leadOf(board, slice, table.method.length)),
      scopeBar(scope, ["slice", "view"]),
      view === "each" ? null : el("p", { class: "note" }, el("strong", {}, VIEWS[view][0]), ". ", VIEWS[view][1]),
      boardTable(board, slice, table, view),
      el("p", { class: "fine" }, "A failed trial counts as AUROC 0 and AP 0, and ranks last. ",
        el("a", { href: linkTo("about") }, "How to read this table"), "."),
      table.method.some((m) => isOracle(data.methods[m])) ? el("p", { class: "fine" }, ORACLE_WORDS) : null,
      board.cells?.seen ? el("p", { class: "fine" }, "Weights of a detector here were trained on some of these data sets, marked † on the pages of the data sets; the slice “not seen in training” leaves them out.") : null,
      tierNote(board.partition === "private" ? "re-run" : "self-reported"),
      submissionsSection(board),
    ],
  };
}

// The row of the synthetic suite's oracle; the view “oracle” is something else.
const ORACLE_WORDS = "“oracle” is not a detector: it knows the distribution that the data were drawn from, and shows the best possible result. Places and gaps count it.";

function isOracle(method) {
  return method.detector === "oracle" && !method.view;
}

function heading(text, lead) {
  return el("header", { class: "page-head" }, el("h1", { tabindex: "-1", id: "page-title" }, text),
    lead ? el("p", { class: "lead" }, lead) : null);
}

function leadOf(board, slice, rows = board.n_methods) {
  const parts = [`${plural(rows, "configuration")} on ${coverage(board)}`];
  if (slice.key !== "all") parts.push(`of which ${format.count(slice.n_sets)} in the slice “${slice.label}”`);
  const power = slice.key === "all" ? powerWords(board) : "";
  return `${parts.join(", ")}. Protocol: ${board.protocol}. ${board.setting ? `${board.setting} ` : ""}${format.count(board.n_trials)} trials.${power}`;
}

// The smallest differences that the table can show.
function powerWords(board) {
  const sizes = data.metrics.filter((m) => board.detectable?.[m.name])
    .map((m) => `${(100 * board.detectable[m.name]).toFixed(1)} points of ${m.label}`);
  if (!sizes.length) return "";
  return ` ${plural(board.n_families, "independent family", "independent families")} of data sets show differences of ${sizes.join(", ")} (power 80 %, among all pairs).`;
}

function boardTable(board, slice, table, view) {
  const preset = PRESETS[current.params.cols] ? current.params.cols : "summary";
  const keys = PRESETS[preset][1].filter((key) => table[key]?.some((x) => !missing(x)));
  const method = (i) => data.methods[table.method[i]];
  const columns = [
    { key: "position", label: "#", title: "Position in the order shown", kind: "number", class: "place",
      unsortable: true, cell: (i, position) => String(position) },
    { key: "detector", label: "Detector", title: "Detector, with the parameters that differ from its reference",
      kind: "text", header: true, value: (i) => methodLabel(method(i)), cell: (i) => methodLink(method(i)) },
    ...keys.map((key) => metricColumn(key, table)),
  ];
  // Rows come by place, as the command line prints them.
  const sorted = keys.includes("place") ? "place" : "";
  return dataTable({
    id: "main", class: "board", caption: `Leaderboard: ${boardTitle(board)}${slice.key === "all" ? "" : `, ${slice.label}`}`,
    rows: table.method.map((_, i) => i), columns, sort: sorted, noun: ["configuration"],
    extra: Object.keys(table).filter((key) => key !== "decimals" && key !== "method" && !keys.includes(key))
      .map((key) => ({ key, value: (i) => table[key][i] })),
    searchText: (i) => methodLabel(method(i)), filter: "Filter detectors",
    tools: [columnPicker(preset)], files: filesOf(board, view !== "each" ? "views" : slice.key === "all" ? board.partition : "slices"),
    file: [board.suite, board.partition, slice.key, view].join("-"),
  });
}

function columnPicker(preset) {
  return field("columns", "Columns", el("select", {
    id: "columns", onchange: (event) => change({ cols: event.target.value === "summary" ? "" : event.target.value, sort: "" }),
  }, Object.entries(PRESETS).map(([key, [label]]) => el("option", { value: key, selected: key === preset }, label))));
}
