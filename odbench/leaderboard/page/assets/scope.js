// The form that chooses suite, partition, protocol, slice, configurations and metric.

const VIEWS = {
  each: ["Each configuration", "Each configuration has its own row."],
  default: ["Defaults only", "Only default configurations are compared."],
  mean: ["Mean over the grid", "The mean of each detector over its grid: what an uninformed user can expect."],
  selected: ["Selected without labels", "The configuration that a rule chose for each data set from its training rows, without labels."],
  oracle: ["Best on test (oracle)", "The best configuration of each detector on each data set, by each metric, chosen with the test labels. This is impossible in practice."],
};

function scopeBar(scope, wanted) {
  const board = boardFor(scope);
  const fields = [
    select("suite", "Suite", unique(boards.map((b) => b.suite))
      .map((name) => [name, suiteOf(name).title]), scope.suite, { slice: "" }),
  ];
  const same = boards.filter((b) => b.suite === scope.suite);
  fields.push(select("partition", "Partition", unique(same.map((b) => b.partition))
    .map((p) => [p, p]), scope.partition, { slice: "" }));
  const protocols = unique(same.filter((b) => b.partition === scope.partition).map((b) => b.protocol));
  if (protocols.length > 1) {
    fields.push(select("protocol", "Protocol", protocols.map((p) => [p, p]), scope.protocol, {}));
  }
  // A partition with submissions alone has no slices.
  if (wanted.includes("slice") && !board.closed) fields.push(sliceSelect(board, scope));
  if (wanted.includes("view")) {
    const views = Object.keys(VIEWS).filter((v) => sliceFor(board, scope.slice).tables[v]);
    if (views.length > 1) {
      fields.push(select("view", "Configurations", views.map((v) => [v, VIEWS[v][0]]), scope.view, {}));
    }
  }
  if (wanted.includes("metric")) {
    fields.push(select("metric", "Metric", data.metrics.map((m) => [m.name, m.label]), scope.metric, {}));
  }
  return el("form", { class: "scope", "aria-label": "Choice of results", onsubmit: (e) => e.preventDefault() }, fields);
}

function select(key, label, options, now, reset) {
  const id = `scope-${key}`;
  return field(id, label, el("select", {
    id, onchange: (event) => change({ ...reset, page: "", [key]: event.target.value }),
  }, options.map(([value, text]) => el("option", { value, selected: value === now }, text))));
}

function field(id, label, control) {
  return el("label", { class: "field", for: id }, el("span", {}, label), control);
}

function sliceSelect(board, scope) {
  const option = (s) => el("option", { value: s.key, selected: s.key === scope.slice },
    s.key === "all" ? `${s.n_sets > 1 ? "All " : ""}${plural(s.n_sets, "data set")}` : `${s.label} (${format.count(s.n_sets)})`);
  const groups = unique(board.slices.map((s) => s.group));
  const body = groups.map((group) => {
    const options = board.slices.filter((s) => s.group === group).map(option);
    return group ? el("optgroup", { label: group }, options) : options;
  });
  return field("scope-slice", "Slice", el("select", {
    id: "scope-slice", onchange: (event) => change({ slice: event.target.value, page: "" }),
  }, body));
}

function boardTitle(board) {
  return `${suiteOf(board.suite).title}, ${board.partition} partition`;
}

function coverage(board) {
  const whole = suiteOf(board.suite).sizes?.[board.partition];
  return whole && board.n_sets < whole
    ? `${format.count(board.n_sets)} of the ${format.count(whole)} data sets of this partition` : plural(board.n_sets, "data set");
}
