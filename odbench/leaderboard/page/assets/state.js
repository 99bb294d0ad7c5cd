// The page's state is in the address: #/view/part/part?key=value. Defaults are left out.

const first = boards[0];
const DEFAULTS = {
  suite: first?.suite ?? "", partition: first?.partition ?? "",
  protocol: first?.protocol ?? "", slice: "all", view: "each", metric: data.metrics[0].name,
};
const SCOPE = Object.keys(DEFAULTS);

function parseHash(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const parts = path.split("/").filter(Boolean).map(decoded);
  const params = Object.fromEntries(new URLSearchParams(query));
  return { view: parts[0] ?? "leaderboard", parts: parts.slice(1), params };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function scopeOf(params) {
  const scope = { ...DEFAULTS };
  for (const key of SCOPE) if (params[key]) scope[key] = params[key];
  if (!boardFor(scope)) {
    // The link names a table that the page does not have: use the nearest one.
    const near =
      boards.find((b) => b.suite === scope.suite && b.partition === scope.partition) ??
      boards.find((b) => b.suite === scope.suite) ?? first;
    for (const key of ["suite", "partition", "protocol"]) scope[key] = near?.[key] ?? "";
  }
  const board = boardFor(scope);
  if (board) scope.slice = sliceFor(board, scope.slice).key;
  if (!data.metrics.some((m) => m.name === scope.metric)) scope.metric = DEFAULTS.metric;
  return scope;
}

function hashOf(view, parts, params) {
  const path = [view, ...parts].map(encodeURIComponent).join("/");
  const kept = Object.entries(params).filter(
    ([key, value]) => value !== "" && value !== null && value !== undefined &&
      DEFAULTS[key] !== value,
  );
  const query = new URLSearchParams(kept).toString();
  return `#/${path}${query ? `?${query}` : ""}`;
}

// A link keeps the scope and drops parameters of the current view.
function linkTo(view, parts = [], params = {}) {
  const now = scopeOf(current.params);
  return hashOf(view, parts, { ...now, ...params });
}

let current = parseHash(location.hash);

function change(params, { replace = false } = {}) {
  const target = hashOf(current.view, current.parts, { ...current.params, ...params });
  if (target === location.hash) return;
  if (replace) {
    history.replaceState(history.state, "", target);
    current = parseHash(target);
  } else {
    rememberPlace();
    location.hash = target;
  }
}

function rememberPlace() {
  history.replaceState({ y: window.scrollY }, "");
}
