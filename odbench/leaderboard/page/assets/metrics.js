// The columns of a leaderboard: what they are called, mean, and which way is better.

// The metrics come with the data, the primary one first.
const PRIMARY = data.metrics[0];
const labelOf = (metric) => data.metrics.find((m) => m.name === metric)?.label ?? metric;
const LABELS = data.metrics.map((m) => m.label);
const everyMetric = (make) => Object.fromEntries(data.metrics.map((m) => make(m)));
const chanceWords = (m) => (m.chance === null ? "" : `; ${m.chance} is chance`);
const both = LABELS.length > 1 ? `${LABELS.slice(0, -1).join(", of ")} and of ${LABELS.at(-1)}` : LABELS[0];

// The place by the primary metric is the order of every table.
const placeKey = (m) => (m === PRIMARY ? "place" : `place_${m.name}`);
const bestKey = (m) => (m === PRIMARY ? "p_best" : `p_best_${m.name}`);

const METRICS = {
  ...everyMetric((m) => [placeKey(m), [m === PRIMARY ? "Place" : `Place ${m.label}`, `Place by mean ${m.label}, with its simultaneous 95 % interval: all intervals of the table hold at once. A configuration whose interval starts at 1 may be the best. Lower is better.`, "place", "low"]]),
  ...everyMetric((m) => [`mean_${m.name}`, [m.label, `Mean ${m.meaning} over the data sets${chanceWords(m)}, with its 95 % interval. Higher is better.`, "score"]]),
  mean_ap_adjusted: ["AP adj.", "Mean average precision, adjusted for the share of anomalies: (AP − r) / (1 − r). Higher is better.", "score"],
  ...everyMetric((m) => [`rank_${m.name}`, [`Rank ${m.label}`, `Average rank by ${m.label} over the data sets, ties averaged. Lower is better.`, "rank", "low"]]),
  ...everyMetric((m) => [`elo_${m.name}`, [`Elo ${m.label}`, `Bradley–Terry rating from all paired comparisons by ${m.label}, mean 1000, with its 95 % interval. Higher is better.`, "elo"]]),
  win_rate: ["Win rate", `Share of comparisons by ${PRIMARY.label} that the method wins, a tie counting half. Higher is better.`, "share"],
  champion_delta: ["Champion Δ", `Mean share of the error (1 − ${PRIMARY.label}) that the best method of each data set would have saved. Lower is better.`, "share", "low"],
  rauc_ratio: ["rAUC ratio", `Mean of ${PRIMARY.label} over the best ${PRIMARY.label} of the data set. Higher is better.`, "share"],
  rauc_minmax: ["rAUC min–max", `Mean place between the worst and the best ${PRIMARY.label} of the data set. Higher is better.`, "share"],
  ...everyMetric((m) => [`top3_${m.name}`, [`Top 3 ${m.label}`, `Share of data sets on which the method is among the best three by ${m.label}. Higher is better.`, "share"]]),
  ...everyMetric((m) => [`gap_${m.name}`, [`Gap ${m.label}`, `Mean ${m.label} of the first method minus that of this one, with the simultaneous 95 % interval of the gap to the truly best one. Lower is better.`, "score", "low"]]),
  ...everyMetric((m) => [bestKey(m), [`p best ${m.label}`, `Largest level at which the method may still be the best by mean ${m.label}; corrected for all pairs of methods.`, "p"]]),
  total_rank: ["Total rank", `Mean of the method's places by mean, average rank, Elo and top-3 share, of ${both}. Lower is better.`, "rank", "low"],
  median_fit_seconds: ["Fit", "Median seconds to fit, over the data sets on which a trial ended well. Lower is better.", "seconds", "low"],
  median_score_seconds: ["Score", "Median seconds to score the test rows, over the data sets on which a trial ended well. Lower is better.", "seconds", "low"],
  n_datasets: ["Data sets", "Data sets on which the configuration was tried.", "count"],
  n_failed: ["Failed", "Trials that failed: exception, time limit, memory limit, values that are not finite.", "count", "low"],
  n_missing: ["Missing", "Trials that were never made. A data set that was not tried counts as failed, a single missing seed not at all.", "count", "low"],
  n_seeds: ["Seeds", "Seeds per data set.", "count"],
};

const PRESETS = {
  summary: ["Summary", ["place", "mean_auroc", "mean_ap", "place_ap", "elo_auroc", "rank_auroc", "n_failed", "median_fit_seconds"]],
  auroc: ["AUROC", ["place", "mean_auroc", "elo_auroc", "rank_auroc", "win_rate", "champion_delta", "rauc_ratio", "rauc_minmax", "top3_auroc"]],
  ...Object.fromEntries(data.metrics.filter((m) => m !== PRIMARY).map((m) => [m.name, [m.label,
    [placeKey(m), `mean_${m.name}`, `elo_${m.name}`, `mean_${m.name}_adjusted`, `rank_${m.name}`, `top3_${m.name}`].filter((key) => METRICS[key])]])),
  evidence: ["Evidence", data.metrics.flatMap((m) => [placeKey(m), `mean_${m.name}`, `gap_${m.name}`, bestKey(m)]).concat("n_datasets", "n_seeds")],
  cost: ["Cost and failures", ["place", "mean_auroc", "median_fit_seconds", "median_score_seconds", "n_failed", "n_missing", "n_datasets"]],
  all: ["All columns", Object.keys(METRICS)],
};

// Bars start at chance where it is the same for all data sets, else at 0.
function barOf(metric, value) {
  const chance = data.metrics.find((m) => m.name === metric)?.chance ?? 0;
  return (value - chance) / (1 - chance);
}

const BARS = { ...everyMetric((m) => [`mean_${m.name}`, (x) => barOf(m.name, x)]), win_rate: (x) => x };

function decimalsOf(table, i) {
  return Array.isArray(table.decimals) ? table.decimals[i] : table.decimals;
}

// "3 (2–5)": a place with its interval.
function placeText(table, key, i) {
  const [low, high] = [table[`${key}_low`]?.[i], table[`${key}_high`]?.[i]];
  const text = format.place(table[key][i]);
  return missing(low) || missing(high) ? text : `${text} (${low}–${high})`;
}

function endsText(table, key, i, write) {
  const [low, high] = [table[`${key}_low`]?.[i], table[`${key}_high`]?.[i]];
  return missing(low) || missing(high) ? null : `95 % interval ${write(low)} to ${write(high)}`;
}

function withTitle(content, title) {
  return title ? el("span", { title }, content) : content;
}

function metricColumn(key, table) {
  const [label, title, how, low] = METRICS[key];
  const values = table[key];
  const withEnds = (key.startsWith("elo_") || key.startsWith("gap_")) && table[`${key}_low`];
  const range = withEnds
    ? rangeOf(values, table[`${key}_low`], table[`${key}_high`]) : null;
  return {
    key, label, title, kind: "number", low: low === "low", value: (i) => values[i],
    cell: (i) => {
      if (how === "place") return placeText(table, key, i);
      if (range) {
        return intervalCell(values[i], table[`${key}_low`]?.[i], table[`${key}_high`]?.[i], range, { write: format[how] });
      }
      // Numbers that were rounded for a reason must not look exact.
      const text = how === "score" && decimalsOf(table, i) ? format.share(values[i]) : format[how](values[i]);
      const shown = BARS[key] ? barCell(text, missing(values[i]) ? null : BARS[key](values[i])) : text;
      return withTitle(shown, endsText(table, key, i, format[how]));
    },
  };
}
