// A table with sorting, filtering, pages and a download of the rows in view order.

const PAGE_ROWS = 100;

// columns: {key, label, title, kind: "text"|"number", value(row), cell(row), low}
// `low` marks a column in which lower is better: its first sort is ascending.
function dataTable(spec) {
  const view = { spec, name: (key) => (spec.id === "main" ? key : `${spec.id}.${key}`) };
  view.body = el("tbody");
  view.status = el("p", { class: "table-status", role: "status" });
  view.pager = el("div", { class: "pager" });
  view.head = el("tr");
  view.sortable = spec.sortable ?? true;
  const table = el("table", { class: `data ${spec.class ?? ""}`, id: `table-${spec.id}` },
    el("caption", { class: "visually-hidden" }, spec.caption),
    el("thead", {}, groupHeads(spec), view.head), view.body);
  const region = el("div", {
    class: "scroller", role: "region", tabindex: "0", "aria-label": spec.caption,
  }, table);
  drawTable(view);
  return el("section", { class: "table-block" },
    spec.bare ? blockTitle(spec) : toolbar(view), region, spec.bare ? null : el("div", { class: "below-table" }, view.status, view.pager));
}

// Headings over several columns, from the left: [text, number of columns].
function groupHeads(spec) {
  if (!spec.groups) return null;
  return el("tr", { class: "group-heads" }, spec.groups.map(([text, span]) => (text
    ? el("th", { scope: "colgroup", colspan: span }, text) : el("td", { colspan: span }))));
}

function blockTitle(spec) {
  return spec.showCaption ? el("h2", { class: "block-title" }, spec.caption) : null;
}

function toolbar(view) {
  const { spec } = view;
  const tools = [blockTitle(spec)];
  if (spec.filter) {
    const id = `filter-${spec.id}`;
    tools.push(el("label", { class: "field grow", for: id }, el("span", {}, spec.filter),
      el("input", {
        type: "search", id, value: current.params[view.name("q")] ?? "",
        autocomplete: "off", spellcheck: "false",
        oninput: (event) => {
          change({ [view.name("q")]: event.target.value, [view.name("page")]: "" },
            { replace: true });
          drawTable(view);
        },
      })));
  }
  if (spec.tools) tools.push(spec.tools);
  tools.push(el("div", { class: "downloads" },
    el("button", { type: "button", class: "quiet", id: `csv-${spec.id}`, onclick: () => saveTable(view) },
      "Download as CSV", hidden(`: ${spec.caption}`)),
    (spec.files ?? []).map(([path, text]) => fileLink(path, text))));
  return el("div", { class: "toolbar" }, tools);
}

function sortState(view) {
  const wanted = current.params[view.name("sort")] ?? view.spec.sort ?? "";
  const descending = wanted.startsWith("-");
  return { key: wanted.replace(/^-/, ""), descending };
}

function ordered(view) {
  const { spec } = view;
  const { key, descending } = sortState(view);
  const by = spec.columns.find((c) => c.key === key);
  const rows = spec.rows.map((row, place) => ({ row, place }));
  if (by) {
    const value = (entry) => by.value(entry.row);
    const sign = descending ? -1 : 1;
    const decorated = rows.map((entry) => ({ entry, v: value(entry) }));
    // Missing values come last in either direction; ties keep their order.
    decorated.sort((a, b) => {
      const gaps = missing(a.v) - missing(b.v);
      if (gaps) return gaps;
      if (missing(a.v)) return a.entry.place - b.entry.place;
      const order = typeof a.v === "string" ? a.v.localeCompare(b.v, "en") : a.v - b.v;
      return sign * order || a.entry.place - b.entry.place;
    });
    return decorated.map((d, i) => ({ row: d.entry.row, position: i + 1 }));
  }
  return rows.map(({ row }, i) => ({ row, position: i + 1 }));
}

function filtered(view) {
  const words = (current.params[view.name("q")] ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  const rows = ordered(view);
  if (!words.length) return rows;
  return rows.filter(({ row }) => {
    const text = view.spec.searchText(row).toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

function drawTable(view) {
  const { spec } = view;
  const rows = filtered(view);
  const size = spec.pageRows ?? PAGE_ROWS;
  const pages = Math.max(1, Math.ceil(rows.length / size));
  const asked = Number.parseInt(current.params[view.name("page")] ?? "1", 10) || 1;
  const page = Math.min(Math.max(asked, 1), pages);
  const shown = rows.slice((page - 1) * size, page * size);
  const state = sortState(view);
  view.head.replaceChildren(...spec.columns.map((c) => headerCell(view, c, state)));
  view.body.replaceChildren(...shown.map((entry) => bodyRow(spec, entry, state)));
  const from = rows.length ? (page - 1) * size + 1 : 0;
  const of = rows.length === spec.rows.length ? "" : ` (of ${format.count(spec.rows.length)})`;
  view.status.textContent = rows.length
    ? pages === 1
      ? `${plural(rows.length, ...spec.noun)}${of}`
      : `${format.count(from)}–${format.count(from + shown.length - 1)} of ${plural(rows.length, ...spec.noun)}${of}`
    : `No ${spec.noun[1] ?? `${spec.noun[0]}s`}.`;
  drawPager(view, page, pages);
}

function headerCell(view, c, state) {
  const { spec } = view;
  const active = c.key === state.key;
  const attributes = { scope: "col", class: c.kind === "number" ? "number" : "" };
  if (!view.sortable || c.unsortable) return el("th", { ...attributes, title: c.title }, c.label);
  if (active) attributes["aria-sort"] = state.descending ? "descending" : "ascending";
  const startsDown = c.kind === "number" && !c.low;
  const next = active ? (state.descending ? c.key : `-${c.key}`) : startsDown ? `-${c.key}` : c.key;
  return el("th", attributes,
    el("button", {
      type: "button", class: "sort", id: `sort-${spec.id}-${c.key}`, title: c.title,
      onclick: () => change({ [view.name("sort")]: next, [view.name("page")]: "" }),
    }, c.label, el("span", { class: "arrow", "aria-hidden": "true" },
      active ? (state.descending ? "▾" : "▴") : "")));
}

function bodyRow(spec, { row, position }, state) {
  return el("tr", spec.rowAttributes?.(row) ?? {}, spec.columns.map((c) => {
    const attributes = { class: [c.kind === "number" ? "number" : "", c.class ?? "",
      c.key === state.key ? "sorted" : ""].join(" ").trim() || null };
    const content = c.cell ? c.cell(row, position) : format.text(c.value(row));
    return c.header ? el("th", { ...attributes, scope: "row" }, content) : el("td", attributes, content);
  }));
}

function drawPager(view, page, pages) {
  if (pages < 2) return view.pager.replaceChildren();
  const step = (to, text, id) => el("button", {
    type: "button", class: "quiet", id: `${id}-${view.spec.id}`, disabled: to < 1 || to > pages,
    onclick: () => change({ [view.name("page")]: to === 1 ? "" : String(to) }),
  }, text, hidden(` page of ${view.spec.caption}`));
  return view.pager.replaceChildren(step(page - 1, "Previous", "previous"),
    el("span", {}, `Page ${page} of ${pages}`), step(page + 1, "Next", "next"));
}

function saveTable(view) {
  const kept = [...view.spec.columns.filter((c) => c.value), ...(view.spec.extra ?? [])];
  const rows = filtered(view).map(({ row }) => kept.map((c) => c.value(row)));
  offerDownload(`${view.spec.file ?? view.spec.id}.csv`, csvText(kept.map((c) => c.key), rows));
}
