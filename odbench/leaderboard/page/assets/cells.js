// Contents of table cells: bars, interval bars, links.

function barCell(text, share) {
  const width = missing(share) ? 0 : Math.min(1, Math.max(0, share));
  return el("span", { class: "with-bar" },
    el("span", { class: "bar", "aria-hidden": "true", vars: { "--share": width } }),
    el("span", { class: "figure" }, text));
}

// A value with its 95 % interval, on the same scale in all rows of the column.
function intervalCell(value, low, high, range, { write = format.elo, spelt = false } = {}) {
  if (missing(value)) return DASH;
  const at = (x) => Math.min(1, Math.max(0, (x - range[0]) / (range[1] - range[0] || 1)));
  const known = !missing(low) && !missing(high);
  const bar = el("span", {
    class: "interval", "aria-hidden": "true",
    vars: { "--low": at(known ? low : value), "--high": at(known ? high : value), "--at": at(value) },
  });
  const words = known ? `95 % interval ${write(low)} to ${write(high)}` : "no interval";
  return el("span", { class: "with-interval", title: words },
    bar, el("span", { class: "figure" }, write(value)),
    spelt ? el("span", { class: "ends", "aria-hidden": "true" }, known ? `${write(low)}–${write(high)}` : "") : null, hidden(`, ${words}`));
}

function rangeOf(...lists) {
  let low = Infinity;
  let high = -Infinity;
  for (const list of lists) {
    for (const x of list ?? []) {
      if (missing(x)) continue;
      low = Math.min(low, x);
      high = Math.max(high, x);
    }
  }
  return low <= high ? [low, high] : [0, 1];
}

function methodLink(method) {
  if (method.view) {
    // Means and oracles have no page, so the link goes to their detector's first configuration.
    const own = data.methods.find((m) => m.detector === method.detector && !m.view);
    return own ? el("a", { class: "method", href: linkTo("detector", [own.key]) }, methodName(method)) : methodName(method);
  }
  return el("a", { class: "method", href: linkTo("detector", [method.key]) }, methodName(method));
}

function methodName(method) {
  const bare = method.config === "default" || method.config === "";
  return [el("span", { class: "name" }, method.detector),
    bare ? null : [" ", el("span", { class: "config" }, breakable(method.config))]];
}

// Parameters of a configuration, with places where a narrow column may break them.
function breakable(text) {
  return text.split(/(?<=[=,])/).map((part, i) => [i ? el("wbr") : null, part]);
}

function setLink(board, t) {
  const name = board.sets.name[t];
  return el("a", { class: "set", href: linkTo("dataset", [board.suite, name],
    { suite: board.suite, partition: board.partition, protocol: board.protocol }) }, name);
}

function statusMark(status) {
  return el("span", { class: `status status-${/^[a-z]+$/.test(status) ? status : "failed"}` }, status);
}

// A signed difference as a bar from a middle line; right is better.
function deltaCell(value, widest) {
  if (missing(value)) return DASH;
  const share = widest ? Math.min(1, Math.abs(value) / widest) : 0;
  return el("span", { class: `with-delta ${value < 0 ? "below" : "above"}` },
    el("span", { class: "delta", "aria-hidden": "true", vars: { "--share": share } }),
    el("span", { class: "figure" }, format.signed(value)));
}
