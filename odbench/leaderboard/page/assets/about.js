// The About view: explanations of the numbers, and links to the files.

const ABOUT = [
  ["Comparison", "Each row is a configuration: a detector with its parameters. Each configuration is fitted to the train rows of a data set, which contain only inliers, and scores its test rows. Values are first averaged over seeds, so that every data set has the same weight."],
  ["Failures", "A trial fails if it raises an exception, exceeds the time or memory limit, or gives scores that are not finite. In the main table a failure counts as AUROC 0.5 and AP equal to the share of anomalies, and ranks last on that data set. The Failures page shows the rank of every configuration under other policies."],
  ["Intervals", "Interval bars are 95 % bootstrap intervals over data sets. If two of them overlap widely, the order of the two rows means little."],
  ["Significance and size", "With hundreds of data sets, nearly every difference is significant. Whether a difference matters is shown by the gap to the best and by the probability that this gap is at most 0.005 AUROC."],
  ["Configurations", "Single configurations, defaults, means over a grid and the best configuration on the test labels are shown in separate tables. The last is an oracle: it shows the result of perfect tuning."],
  ["Tiers", "Self-reported: computed from published results on public labels; anyone can repeat it. Re-scored: a maintainer computed the numbers from submitted scores, with labels that the submitter does not have; this does not prove which code made the scores. Re-run: a maintainer ran the code."],
  ["Private partitions", "For a private partition, only aggregates are shown, over at least 20 data sets and rounded to three decimals, because exact values would reveal labels."],
];

function aboutView() {
  return { title: "About these tables", nodes: [heading("About these tables", null),
    el("div", { class: "prose" }, ABOUT.map(([title, text]) => [el("h2", {}, title), el("p", {}, text)])),
    el("section", { class: "prose" }, el("h2", {}, "Columns"), el("dl", { class: "glossary" },
      Object.values(METRICS).map(([label, text]) => el("div", {}, el("dt", {}, label), el("dd", {}, text))))),
    filesList()] };
}

function filesList() {
  const files = data.boards.flatMap((board) => filesOf(board, ...Object.keys(board.files)).map((file) => ({ board, file })));
  files.push(...data.submissions.map((found) => ({ board: found, file: [found.file, found.file.split("/").pop()] })));
  if (!files.length) return null;
  return el("section", {}, el("h2", {}, "Files"), el("ul", {}, files.map(({ board, file: [path, text] }) => el("li", {}, `${boardTitle(board)}: `, fileLink(path, text), hidden(` (${path})`)))));
}
