// The columns of a leaderboard: what they are called, mean, and which way is better.

const METRICS = {
  mean_auroc: ["AUROC", "Mean area under the ROC curve over the data sets; 0.5 is chance. Higher is better.", "score"],
  mean_ap: ["AP", "Mean average precision over the data sets. Higher is better.", "score"],
  mean_ap_adjusted: ["AP adj.", "Mean average precision, adjusted for the share of anomalies: (AP − r) / (1 − r). Higher is better.", "score"],
  rank_auroc: ["Rank AUROC", "Average rank by AUROC over the data sets, ties averaged. Lower is better.", "rank", "low"],
  rank_ap: ["Rank AP", "Average rank by AP over the data sets, ties averaged. Lower is better.", "rank", "low"],
  elo_auroc: ["Elo AUROC", "Bradley–Terry rating from all paired comparisons by AUROC, mean 1000, with its 95 % bootstrap interval. Higher is better.", "elo"],
  elo_ap: ["Elo AP", "Bradley–Terry rating from all paired comparisons by AP, mean 1000. Higher is better.", "elo"],
  win_rate: ["Win rate", "Share of comparisons by AUROC that the method wins, a tie counting half. Higher is better.", "share"],
  champion_delta: ["Champion Δ", "Mean share of the error (1 − AUROC) that the best method of each data set would have saved. Lower is better.", "share", "low"],
  rauc_ratio: ["rAUC ratio", "Mean of AUROC over the best AUROC of the data set. Higher is better.", "share"],
  rauc_minmax: ["rAUC min–max", "Mean place between the worst and the best AUROC of the data set. Higher is better.", "share"],
  top3_auroc: ["Top 3 AUROC", "Share of data sets on which the method is among the best three by AUROC. Higher is better.", "share"],
  top3_ap: ["Top 3 AP", "Share of data sets on which the method is among the best three by AP. Higher is better.", "share"],
  gap_auroc: ["Gap to best", "Mean AUROC of the best method minus that of this one, with the central 95 % of its Bayesian bootstrap. Lower is better.", "score", "low"],
  p_best: ["p (perm.)", "Paired permutation test against the best method by mean AUROC, Holm-corrected.", "p"],
  p_wilcoxon: ["p (Wilcoxon)", "Wilcoxon signed-rank test against the best method by mean AUROC, Holm-corrected.", "p"],
  p_equivalent: ["P (equivalent)", "Posterior probability that the mean gap to the best method is at most 0.005 AUROC.", "share"],
  total_rank: ["Total rank", "Mean of the method's places by mean, average rank, Elo and top-3 share, of AUROC and of AP. Lower is better.", "rank", "low"],
  median_fit_seconds: ["Fit", "Median seconds to fit, over the data sets on which a trial ended well. Lower is better.", "seconds", "low"],
  median_score_seconds: ["Score", "Median seconds to score the test rows, over the data sets on which a trial ended well. Lower is better.", "seconds", "low"],
  n_datasets: ["Data sets", "Data sets on which the configuration was tried.", "count"],
  n_failed: ["Failed", "Trials that failed: exception, time limit, memory limit, values that are not finite.", "count", "low"],
  n_missing: ["Missing", "Trials that were never made; they count as failures.", "count", "low"],
  n_seeds: ["Seeds", "Seeds per data set.", "count"],
};

const PRESETS = {
  summary: ["Summary", ["elo_auroc", "mean_auroc", "mean_ap", "rank_auroc", "win_rate", "total_rank", "n_failed", "median_fit_seconds"]],
  auroc: ["AUROC", ["elo_auroc", "mean_auroc", "rank_auroc", "win_rate", "champion_delta", "rauc_ratio", "rauc_minmax", "top3_auroc"]],
  ap: ["AP", ["elo_ap", "mean_ap", "mean_ap_adjusted", "rank_ap", "top3_ap"]],
  evidence: ["Evidence", ["mean_auroc", "gap_auroc", "p_best", "p_wilcoxon", "p_equivalent", "n_datasets", "n_seeds"]],
  cost: ["Cost and failures", ["mean_auroc", "median_fit_seconds", "median_score_seconds", "n_failed", "n_missing", "n_datasets"]],
  all: ["All columns", Object.keys(METRICS)],
};

// AUROC bars start at chance; every other share starts at 0.
const BARS = { mean_auroc: (x) => (x - 0.5) / 0.5, mean_ap: (x) => x, win_rate: (x) => x };

function decimalsOf(table, i) {
  return Array.isArray(table.decimals) ? table.decimals[i] : table.decimals;
}

function metricColumn(key, table) {
  const [label, title, how, low] = METRICS[key];
  const values = table[key];
  const withEnds = key.startsWith("elo_") || (key === "gap_auroc" && table.gap_auroc_low);
  const range = withEnds
    ? rangeOf(values, table[`${key}_low`], table[`${key}_high`]) : null;
  return {
    key, label, title, kind: "number", low: low === "low", value: (i) => values[i],
    cell: (i) => {
      if (range) {
        return intervalCell(values[i], table[`${key}_low`]?.[i], table[`${key}_high`]?.[i], range, { write: format[how] });
      }
      // Numbers that were rounded for a reason must not look exact.
      const text = how === "score" && decimalsOf(table, i) ? format.share(values[i]) : format[how](values[i]);
      return BARS[key] ? barCell(text, missing(values[i]) ? null : BARS[key](values[i])) : text;
    },
  };
}
