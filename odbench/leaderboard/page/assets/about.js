// What the numbers mean, and which files hold them.

const ABOUT = [
  ["What is compared", "A row is a configuration: a detector with its parameters. Each configuration is fitted to the train rows of a data set, which hold inliers only, and scores its test rows. Values of several seeds are averaged first, so that every data set weighs the same."],
  ["Failures", "An exception, a time limit, a memory limit or a score that is not finite is a failure. In the main table it counts as AUROC 0.5 and AP equal to the share of anomalies, and ranks last on that data set. The page on failures shows the place of every configuration under other policies."],
  ["Intervals", "Interval bars are 95 % bootstrap intervals over data sets. Where two of them overlap widely, the order of the two rows means little."],
  ["Significance and size", "With hundreds of data sets nearly every difference is significant. The gap to the best and the probability that it is at most 0.005 AUROC say whether it matters."],
  ["Configurations", "Tables of single configurations, of defaults, of means over a grid and of the best configuration on the test labels are never mixed. The last one is an oracle: it shows what perfect tuning would reach."],
  ["Tiers", "Self-reported: computed from published results on public labels, which anybody can do again. Re-scored: a maintainer computed the numbers from submitted scores, with labels that the submitter does not have; which code made the scores is not proven. Re-run: a maintainer ran the code."],
  ["Private partitions", "Only aggregates of a private partition are shown, over at least 20 data sets and rounded to three decimals, because exact values give labels away."],
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
