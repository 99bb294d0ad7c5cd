// The About view: explanations of the numbers, and links to the files.

const ABOUT = [
  ["Comparison", "Each row is a configuration: a detector with its parameters. The protocol says which rows of a data set it is fitted to and which it scores; the lines above a table describe it. Values are first averaged over seeds, so that every data set has the same weight."],
  ["Failures", "A trial fails if it raises an exception, exceeds the time or memory limit, or gives scores that are not finite. In the main table a failure counts as AUROC 0 and AP 0, and ranks last on that data set, so failing never pays. The Failures page shows the place of every configuration under other policies."],
  ["Order and places", "Rows are in the order of their mean AUROC. The interval of a place says which places are possible: with a probability of 95 %, all intervals of a table are right at once, even though the best row was found on the same data. Configurations whose interval starts at 1 may be the best."],
  ["Intervals", "All other intervals are 95 % intervals of one number. Data sets from one source form a family, and only families count as independent. With fewer than five families no interval is shown, and no Elo interval where a group of configurations wins every comparison."],
  ["Significance and size", "With hundreds of data sets, nearly every difference is significant. Whether a difference matters is shown by the interval of the gap to the best. `odbench leaderboard compare` compares two configurations in detail."],
  ["Configurations", "Single configurations, defaults, means over a grid and the best configuration by each metric on the test labels are shown in separate tables. The last is an oracle: it shows the result of perfect tuning."],
  ["Tiers", "Self-reported: computed from published results on public labels; anyone can repeat it. Re-scored: a maintainer computed the numbers from submitted scores, with labels that the submitter does not have; this does not prove which code made the scores. Re-run: a maintainer ran the code."],
  ["Private partitions", "For a private partition, only aggregates are shown, over at least 20 data sets and rounded to three decimals, because exact values would reveal labels."],
];

function aboutView() {
  return { title: "About these tables", nodes: [heading("About these tables", null),
    el("div", { class: "prose" }, ABOUT.map(([title, text]) => [el("h2", {}, title), el("p", {}, withCode(text))])),
    el("section", { class: "prose" }, el("h2", {}, "Columns"), el("dl", { class: "glossary" },
      Object.values(METRICS).map(([label, text]) => el("div", {}, el("dt", {}, label), el("dd", {}, text))))),
    filesList()] };
}

// Text between backticks is typed as it is.
function withCode(text) {
  return text.split("`").map((part, i) => i % 2 ? el("code", {}, part) : part);
}

function filesList() {
  const files = data.boards.flatMap((board) => filesOf(board, ...Object.keys(board.files)).map((file) => ({ board, file })));
  files.push(...data.submissions.map((found) => ({ board: found, file: [found.file, found.file.split("/").pop()] })));
  if (!files.length) return null;
  return el("section", {}, el("h2", {}, "Files"), el("ul", {}, files.map(({ board, file: [path, text] }) => el("li", {}, `${boardTitle(board)}: `, fileLink(path, text), hidden(` (${path})`)))));
}
