// Searches all suites for detectors, submissions and data sets by part of their names.

const SEARCH_ROWS = 50;

function searchView() {
  const query = (current.params.q ?? "").trim();
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (text) => words.every((word) => text.toLowerCase().includes(word));
  const methods = words.length ? data.methods.filter((m) => !m.view && fits(methodLabel(m))) : [];
  const sets = words.length ? findSets(fits) : [];
  const sent = words.length ? data.submissions.flatMap((found) => found.rows.filter((row) => fits(row.method)).map((row) => ({ found, row }))) : [];
  const counts = [plural(methods.length, "configuration"), plural(sets.length, "data set"), ...(sent.length ? [plural(sent.length, "submission")] : [])];
  const lead = words.length ? `${counts.slice(0, -1).join(", ")} and ${counts.at(-1)} for “${query}”.` : "Type part of the name of a detector or data set.";
  document.getElementById("announcer").textContent = lead;
  return { title: "Search", nodes: [heading("Search", lead),
    resultList("Detectors", methods, (m) => methodLink(m)),
    resultList("Submissions", sent, ({ found, row }) => [submissionLink(found, row), el("span", { class: "where" }, ` ${boardTitle(found)}`)]),
    resultList("Data sets", sets, ({ board, t }) => [setLink(board, t), el("span", { class: "where" }, ` ${suiteOf(board.suite).title}, ${board.partition}`)])] };
}

function findSets(fits) {
  const found = [];
  const seen = new Set();
  for (const board of data.boards) {
    if (!board.sets) continue;
    // Tables of other protocols have the same data sets, or some more.
    board.sets.name.forEach((name, t) => {
      const key = JSON.stringify([board.suite, board.partition, name]);
      if (seen.has(key) || !fits(name)) return;
      seen.add(key);
      found.push({ board, t });
    });
  }
  return found;
}

function resultList(title, found, link) {
  if (!found.length) return null;
  const more = found.length - SEARCH_ROWS;
  return el("section", { class: "results" }, el("h2", {}, title),
    el("ul", {}, found.slice(0, SEARCH_ROWS).map((item) => el("li", {}, link(item)))),
    more > 0 ? el("p", { class: "fine" }, `${plural(more, "more match", "more matches")}; type more letters to narrow the search.`) : null);
}

function searchBox() {
  let back = null;
  const input = el("input", { type: "search", id: "search", placeholder: "Detector or data set", autocomplete: "off", spellcheck: "false", "aria-keyshortcuts": "/",
    oninput: () => {
      const target = hashOf("search", [], { ...scopeOf(current.params), q: input.value });
      if (current.view === "search") {
        if (!input.value && back !== null) return void (location.hash = back);
        history.replaceState(history.state, "", target);
        current = parseHash(target);
        drawPage({ quietly: true });
      } else if (input.value) {
        back = location.hash;
        rememberPlace();
        location.hash = target;
      }
    } });
  return el("form", { role: "search", class: "search", onsubmit: (event) => event.preventDefault() },
    el("label", { for: "search" }, "Search"), input);
}
