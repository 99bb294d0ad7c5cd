// Formats numbers as text. A missing number is a dash, never a zero.

const DASH = "–";
const missing = (x) => x === null || x === undefined || Number.isNaN(x);
const grouped = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });

const format = {
  count: (x) => (missing(x) ? DASH : grouped.format(x)),
  score: (x) => (missing(x) ? DASH : x.toFixed(4)),
  share: (x) => (missing(x) ? DASH : x.toFixed(3)),
  percent: (x) => (missing(x) ? DASH : x > 0 && x < 0.0005 ? "< 0.1 %" : `${(100 * x).toFixed(1)} %`),
  elo: (x) => (missing(x) ? DASH : x.toFixed(0)),
  rank: (x) => (missing(x) ? DASH : x.toFixed(2)),
  place: (x) => (missing(x) ? DASH : Number.isInteger(x) ? String(x) : x.toFixed(1)),
  signed: (x) => {
    if (missing(x)) return DASH;
    return (x < 0 ? "−" : "+") + Math.abs(x).toFixed(4);
  },
  p: (x) => (missing(x) ? DASH : x < 0.001 ? "< 0.001" : x.toFixed(3)),
  seconds: (x) => {
    if (missing(x)) return DASH;
    if (x === 0) return "0 s";
    if (x < 0.001) return `${Number((x * 1e6).toPrecision(2))} µs`;
    if (x < 1) return `${Number((x * 1e3).toPrecision(3))} ms`;
    return x < 100 ? `${x.toPrecision(3)} s` : `${grouped.format(x)} s`;
  },
  text: (x) => (missing(x) || x === "" ? DASH : String(x)),
};

function plural(n, one, many = `${one}s`) {
  return `${format.count(n)} ${n === 1 ? one : many}`;
}

function csvField(value) {
  if (missing(value)) return "";
  if (typeof value === "number") return String(value);
  // A leading apostrophe stops a spreadsheet from running the text as a formula.
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function csvText(header, rows) {
  return [header, ...rows].map((row) => row.map(csvField).join(",")).join("\n") + "\n";
}
