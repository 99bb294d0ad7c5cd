// The Failures view: failed trials, their kinds, and ranks under other policies.

const STATUS_WORDS = {
  failed: "Exception", timeout: "Time limit", memory: "Memory limit", killed: "Process died",
  nonfinite: "Scores not finite", shape: "Wrong number of scores", missing: "Not run",
};

const POLICY_WORDS = {
  main: ["Main", "AUROC 0, AP 0, ranks last"],
  chance: ["Chance", "AUROC 0.5, AP = share of anomalies, ranks last"],
  worst: ["Worst", "The worst value of any method on that data set, ranks last"],
  "base-rate": ["Base rate", "AUROC 0.5, AP = share of anomalies, ranked by value"],
  "complete-case": ["Complete case", "Only data sets on which no trial failed"],
  "mean-of-others": ["Mean of others", "The mean of the other methods on that data set; rewards failing, so never the default"],
};

function failuresView(scope) {
  const board = boardFor(scope);
  const title = `Failures: ${boardTitle(board)}`;
  const failed = board.failure_counts.failed.reduce((sum, n) => sum + n, 0);
  return { title, nodes: [
    heading(title, failed ? `${format.count(failed)} of ${plural(board.n_trials, "trial")} failed. Each is recorded with its reason and counts in the main table.` : `None of ${plural(board.n_trials, "trial")} failed.`),
    scopeBar(scope, []), policyTable(board), failed ? countsTable(board) : null, failureTable(board, "main", () => true, "All failures")] };
}

function policyTable(board) {
  const names = Object.keys(POLICY_WORDS).filter((name) => board.policies?.[name]);
  if (names.length < 2) return null;
  const rows = board.policies.main.method.map((m) => m);
  const value = (policy, key, m) => {
    const table = board.policies[policy];
    const at = table.method.indexOf(m);
    return at < 0 ? null : table[key][at];
  };
  const columns = names.flatMap((name) => [
    { key: `${name}.place`, label: "Place", title: `${POLICY_WORDS[name][1]}. Place by mean AUROC.`, kind: "number", low: true, value: (m) => value(name, "place", m), cell: (m) => format.place(value(name, "place", m)) },
    { key: `${name}.mean_auroc`, label: "AUROC", title: `Mean AUROC. ${POLICY_WORDS[name][1]}.`, kind: "number", value: (m) => value(name, "mean_auroc", m), cell: (m) => format.score(value(name, "mean_auroc", m)) }]);
  const sets = names.map((name) => `${POLICY_WORDS[name][0]}: ${POLICY_WORDS[name][1].toLowerCase().replace("auroc", "AUROC").replace(/\bap\b/g, "AP")} (${plural(board.policies[name].n_sets, "data set")})`);
  return el("div", {}, dataTable({ id: "policies", caption: "Place of each configuration under each failure policy", showCaption: true, rows, sort: "main.place", noun: ["configuration"], groups: [["", 1], ...names.map((name) => [POLICY_WORDS[name][0], 2])],
    columns: [{ key: "detector", label: "Detector", kind: "text", header: true, value: (m) => methodLabel(data.methods[m]), cell: (m) => methodLink(data.methods[m]) }, ...columns],
    searchText: (m) => methodLabel(data.methods[m]), filter: "Filter detectors", file: `${board.suite}-failure-policies` }),
  el("ul", { class: "fine" }, sets.map((text) => el("li", {}, text))));
}

function countsTable(board) {
  const counts = board.failure_counts;
  const rows = counts.method.map((m, i) => ({ method: data.methods[m], i })).filter((r) => counts.failed[r.i] > 0);
  const columns = counts.statuses.map((status, s) => ({ key: status, label: STATUS_WORDS[status] ?? status, kind: "number", value: (r) => counts.counts[r.i][s], cell: (r) => format.count(counts.counts[r.i][s]) }));
  return dataTable({ id: "counts", caption: "Failed trials by configuration and kind", showCaption: true, rows, sort: "-total", noun: ["configuration"],
    columns: [{ key: "detector", label: "Detector", kind: "text", header: true, value: (r) => methodLabel(r.method), cell: (r) => methodLink(r.method) },
      { key: "total", label: "Failed", kind: "number", value: (r) => counts.failed[r.i], cell: (r) => format.count(counts.failed[r.i]) }, ...columns],
    searchText: (r) => methodLabel(r.method), file: `${board.suite}-failure-counts` });
}

function failureTable(board, id, keep, caption) {
  if (!board.sets) return privateNote();
  const { failures } = board;
  const rows = failures.set.map((set, k) => ({ set, method: failures.method[k], status: failures.statuses[failures.status[k]],
    failed: failures.failed[k], reason: failures.reasons[failures.reason[k]] ?? "" })).filter(keep);
  if (!rows.length) return el("p", { class: "fine" }, `${caption}: none.`);
  return dataTable({ id, caption, showCaption: true, rows, noun: ["entry", "entries"], sort: "detector",
    columns: [
      { key: "detector", label: "Detector", kind: "text", header: true, value: (f) => methodLabel(data.methods[f.method]), cell: (f) => methodLink(data.methods[f.method]) },
      { key: "dataset", label: "Data set", kind: "text", value: (f) => board.sets.name[f.set], cell: (f) => setLink(board, f.set) },
      { key: "status", label: "Kind", kind: "text", value: (f) => f.status, cell: (f) => el("span", { class: "status status-failed" }, STATUS_WORDS[f.status] ?? f.status) },
      { key: "trials", label: "Trials", kind: "number", value: (f) => f.failed, cell: (f) => format.count(f.failed) },
      { key: "reason", label: "Reason", kind: "text", class: "reason", value: (f) => f.reason }],
    searchText: (f) => [methodLabel(data.methods[f.method]), board.sets.name[f.set], STATUS_WORDS[f.status], f.reason].join(" "),
    filter: "Filter failures", file: `${board.suite}-${id}` });
}
