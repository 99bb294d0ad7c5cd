// Starts the page: navigation, routing between views, and keyboard focus.

const VIEW_MAKERS = {
  leaderboard: leaderboardView, datasets: datasetsView, winrates: winratesView, ranks: ranksView,
  pareto: paretoView, failures: failuresView, about: aboutView, search: searchView,
  detector: detectorView, dataset: datasetView, submission: submissionView,
};
const NAVIGATION = [
  ["leaderboard", "Leaderboard"], ["datasets", "Data sets"], ["winrates", "Win rates"],
  ["ranks", "Critical differences"], ["pareto", "Time and quality"], ["failures", "Failures"], ["about", "About"],
];
const main = document.getElementById("main");

function notFound(message) {
  return { title: "Not found", nodes: [heading("Not found", message), el("p", {}, el("a", { href: "#/leaderboard" }, "Back to the leaderboard"))] };
}

// Partitions without results of runs have only a table of submissions, not these views.
const NEED_RESULTS = ["datasets", "winrates", "ranks", "pareto", "failures"];

function viewOf(make) {
  const scope = scopeOf(current.params);
  if (!boardFor(scope)?.closed || !NEED_RESULTS.includes(current.view)) return make(scope, current.parts);
  const title = `${NAVIGATION.find(([view]) => view === current.view)[1]}: ${boardTitle(boardFor(scope))}`;
  return { title, nodes: [heading(title, null), scopeBar(scope, []), el("p", { class: "note" }, privateWords(), " ",
    el("a", { href: linkTo("leaderboard") }, "Back to the leaderboard"), ".")] };
}

function drawPage({ quietly = false } = {}) {
  const make = Object.hasOwn(VIEW_MAKERS, current.view) ? VIEW_MAKERS[current.view] : null;
  forgetDrawings();
  let page;
  if (!boards.length) page = { title: "No results", nodes: [heading("No results", "These runs have no data sets with labels.")] };
  else page = make ? viewOf(make) : notFound(`Unknown view: “${current.view}”.`);
  const focused = quietly ? null : document.activeElement?.id;
  main.replaceChildren(...page.nodes.filter(Boolean));
  document.title = `${page.title} – ${data.title}`;
  drawNavigation();
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

function drawNavigation() {
  const list = document.getElementById("navigation");
  list.replaceChildren(...NAVIGATION.map(([view, text]) => el("li", {}, el("a", {
    href: linkTo(view), "aria-current": current.view === view ? "page" : null }, text))));
  const now = list.querySelector("[aria-current]");
  // On a phone the navigation is one scrolling row: bring the current view into sight.
  if (now) list.scrollLeft = now.offsetLeft - list.offsetLeft - 24;
}

let place = null;

function onAddress() {
  const before = current;
  current = parseHash(location.hash);
  const moved = before.view !== current.view || before.parts.join("/") !== current.parts.join("/");
  const typing = current.view === "search" && document.activeElement?.id === "search";
  drawPage();
  const box = document.getElementById("search");
  if (current.view === "search" && !typing) box.value = current.params.q ?? "";
  else if (current.view !== "search" && moved) box.value = "";
  if (place !== null) window.scrollTo(0, place);
  else if (moved) {
    window.scrollTo(0, 0);
    if (!typing) document.getElementById("page-title")?.focus({ preventScroll: true });
  }
  place = null;
}

function start() {
  document.getElementById("tools").append(searchBox(), themeSwitch());
  window.addEventListener("popstate", (event) => { place = event.state?.y ?? null; });
  window.addEventListener("hashchange", onAddress);
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="#/"]');
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) rememberPlace();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.target.closest("input, select, textarea")) return;
    event.preventDefault();
    document.getElementById("search").focus();
  });
  document.getElementById("skip").addEventListener("click", (event) => {
    event.preventDefault();
    main.focus();
  });
  drawPage();
  if (current.view === "search") document.getElementById("search").value = current.params.q ?? "";
  performance.mark("odbench-interactive");
}

start();
