// Evaluated submissions: their table, the page of one, and instructions for submitting.

const TIERS = {
  "re-run": "A maintainer ran the submitted code and scored its output.",
  "re-scored": "A maintainer computed the numbers from submitted scores, with labels that the submitter does not have. This does not prove which code made the scores.",
  "self-reported": "Computed from published results on public labels. Anyone can repeat the computation.",
};
const SUBMISSION_FIELDS = ["version", "authors", "submitter", "kind", "configuration", "training_data", "hardware", "code_url", "n_datasets", "archive_sha256", "sets_sha256"];

function submissionsOf(board) {
  return data.submissions.find((s) => s.suite === board.suite && s.partition === board.partition);
}

function tierMark(tier) {
  return el("span", { class: `tier tier-${Object.hasOwn(TIERS, tier) ? tier : "self-reported"}`, title: TIERS[tier] }, tier);
}

// The tier of a table whose rows all have the same tier.
function tierNote(tier) {
  return el("p", { class: "fine" }, "Tier of every row: ", tierMark(tier), ` ${TIERS[tier]} `, el("a", { href: linkTo("about") }, "About the tiers"), ".");
}

function tierList(tiers) {
  return el("dl", { class: "fine tiers" }, tiers.map((tier) => el("div", {}, el("dt", {}, tierMark(tier)), el("dd", {}, TIERS[tier]))));
}

// A partition without results of runs: its submissions, and how to submit.
function closedView(board, scope) {
  const title = boardTitle(board);
  const found = submissionsOf(board);
  const nodes = [heading(title, found ? submissionsLead(found) : "No submission has been evaluated yet."), scopeBar(scope, [])];
  if (found) nodes.push(submissionsTable(found, "main"));
  else nodes.push(el("p", { class: "note" }, "This page will list methods scored on labels that their authors have never seen: one row per method, with mean AUROC and AP to three decimals, its failures, and the tier of the evaluation."));
  nodes.push(howToSubmit(board));
  return { title, nodes };
}

function submissionsLead(found) {
  return `${plural(found.rows.length, "method")}, scored on ${plural(found.rows[0].n_datasets, "data set")} whose labels no submitter has. Numbers are rounded to three decimals, because more would reveal labels.`;
}

function howToSubmit(board) {
  const open = !submissionsOf(board);
  // OddBench's private features are on the hub; for other suites, maintainers hand out a folder.
  const drawn = board.suite !== "oddbench";
  const sets = drawn ? " --sets sets.json" : "";
  const lines = [
    `odbench run --suite ${board.suite} --partition ${board.partition}${drawn ? " --mirror FEATURES" : ""} --detectors me.py:Mine --keep-scores --out run`,
    `odbench submission pack run${sets} --method "Mine" --author "A. Person" --training-data none --out mine.zip`,
    `odbench submission check mine.zip${sets}`,
  ];
  return el("details", { class: "how", open }, el("summary", {}, "How to submit"),
    el("p", {}, "Score the data sets of the partition, pack the scores, and send the archive to the maintainers of this leaderboard. The detector needs no labels, and its code stays with you.",
      drawn ? " FEATURES is the folder of data sets and sets.json is their list; if they are not published with this page, ask the maintainers for both." : ""),
    el("pre", { tabindex: "0", "aria-label": "Commands" }, el("code", {}, lines.join("\n"))),
    el("p", { class: "fine" }, "Data sets may be missing; each counts as AUROC 0 and AP 0. At least 20 must be scored. A resubmission replaces the row only if its mean AUROC rises by more than 0.005."));
}

// Submissions to a partition that also has results of runs, shown below them.
function submissionsSection(board) {
  const found = submissionsOf(board);
  return found ? submissionsTable(found, "submissions") : null;
}

function submissionsTable(found, id) {
  const chosen = current.params.tier ?? "";
  const rows = chosen ? found.rows.filter((r) => r.tier === chosen) : found.rows;
  const text = (key, label, more = {}) => ({ key, label, kind: "text", value: (r) => r[key], ...more });
  const share = (key, label, title, lowest) => ({ key, label, title, kind: "number", value: (r) => r[key],
    cell: (r) => (lowest === null ? format.share(r[key]) : barCell(format.share(r[key]), (r[key] - lowest) / (1 - lowest))) });
  const seconds = (key, label) => ({ key, label, title: "Median over the trials, measured by the submitter", kind: "number", low: true, value: (r) => r[key], cell: (r) => format.seconds(r[key]) });
  const columns = [
    { key: "place", label: "#", title: "Position in the order shown", kind: "number", class: "place", unsortable: true, cell: (r, position) => String(position) },
    text("method", "Method", { header: true, cell: (r) => submissionLink(found, r) }),
    text("tier", "Tier", { title: "How the numbers were checked; see below", cell: (r) => tierMark(r.tier) }),
    share("mean_auroc", "AUROC", METRICS.mean_auroc[1], 0.5), share("mean_ap", "AP", METRICS.mean_ap[1], 0), share("mean_ap_adjusted", "AP adj.", METRICS.mean_ap_adjusted[1], null),
    { key: "n_failed", label: "Failed", title: "Data sets without scores under every seed; each missing trial counts as AUROC 0 and AP 0", kind: "number", low: true, value: (r) => r.n_failed, cell: (r) => format.count(r.n_failed) },
    seconds("median_fit_seconds", "Fit"), seconds("median_score_seconds", "Score"),
    text("kind", "Kind"), text("configuration", "Configuration", { title: "How the configuration was found" }),
    text("training_data", "Training data", { title: "Data that the method was pretrained or tuned on, according to its authors", cell: (r) => el("span", { class: "clip", title: r.training_data }, r.training_data) }),
    text("evaluated", "Evaluated"),
  ];
  const shownTiers = unique(found.rows.map((r) => r.tier));
  return el("div", {}, dataTable({
    id, class: "submissions", caption: `Evaluated submissions: ${boardTitle(found)}`, showCaption: id !== "main", rows, columns, sort: "-mean_auroc", noun: ["method"],
    extra: SUBMISSION_FIELDS.map((key) => ({ key, value: (r) => r[key] })),
    searchText: (r) => [r.method, r.tier, r.kind, r.configuration, r.training_data, r.authors].join(" "), filter: "Filter methods",
    tools: tierPicker(id, shownTiers, chosen), files: [[found.file, found.file.split("/").pop()]],
    file: `${found.suite}-${found.partition}-submissions` }),
  tierList(Object.keys(TIERS).filter((tier) => shownTiers.includes(tier))));
}

function tierPicker(id, tiers, chosen) {
  if (tiers.length < 2 && !chosen) return null;
  const options = [["", "All tiers"], ...Object.keys(TIERS).filter((t) => tiers.includes(t) || t === chosen).map((t) => [t, t])];
  return field("tier", "Tier", el("select", { id: "tier", onchange: (event) => change({ tier: event.target.value, [id === "main" ? "page" : `${id}.page`]: "" }) },
    options.map(([value, words]) => el("option", { value, selected: value === chosen }, words))));
}

function submissionLink(found, row) {
  return el("a", { class: "method", href: linkTo("submission", [found.suite, found.partition, row.method],
    { suite: found.suite, partition: found.partition, protocol: "one-class" }) }, el("span", { class: "name" }, row.method));
}

function submissionView(scope, [suite, partition, method]) {
  const found = data.submissions.find((s) => s.suite === suite && s.partition === partition);
  const row = found?.rows.find((r) => r.method === method);
  if (!row) return notFound(`Unknown submission: ${method ?? ""} on ${suite ?? ""}, ${partition ?? ""}.`);
  const place = 1 + found.rows.filter((r) => r.mean_auroc > row.mean_auroc).length;
  const back = linkTo("leaderboard", [], { suite, partition, protocol: "one-class" });
  return { title: method, nodes: [
    el("p", { class: "crumbs" }, el("a", { href: back }, boardTitle(found)), " / Submission"),
    heading(method, `Rank ${place} of ${found.rows.length} by mean AUROC, over ${plural(row.n_datasets, "data set")}.`),
    factList([
      ["Tier", [tierMark(row.tier), ` ${TIERS[row.tier] ?? ""}`]],
      ["Mean AUROC", format.share(row.mean_auroc)], ["Mean AP", format.share(row.mean_ap)], ["Mean AP, adjusted", format.share(row.mean_ap_adjusted)],
      ["Failed", `${format.count(row.n_failed)} of ${plural(row.n_datasets, "data set")}`],
      ["Median time", `${format.seconds(row.median_fit_seconds)} to fit, ${format.seconds(row.median_score_seconds)} to score, measured by the submitter`],
      ["Hardware", row.hardware], ["Version", row.version], ["Authors", row.authors], ["Submitter", row.submitter],
      ["Code", row.code_url ? outwardLink(row.code_url) : null], ["Kind", row.kind], ["Configuration", row.configuration], ["Training data", row.training_data],
      ["Evaluated", row.evaluated],
      ["Archive (SHA-256)", el("code", { class: "hash" }, row.archive_sha256)], ["Data set list (SHA-256)", el("code", { class: "hash" }, row.sets_sha256)],
    ]),
    el("p", { class: "note" }, found.partition === "private" ? privateWords() : "Results on single data sets are not kept.")] };
}
