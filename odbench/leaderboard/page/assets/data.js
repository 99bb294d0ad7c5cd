// Reads the data embedded in the page; packed columns are unpacked on first use.

const data = JSON.parse(document.getElementById("leaderboard-data").textContent);
const UNPACKED = new WeakMap();
const ABSENT = 65535;

function bytes(text) {
  const raw = atob(text);
  const out = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i += 1) out[i] = raw.charCodeAt(i);
  return out;
}

// A packed column is {b64, bits, kind, ...}: little-endian integers that encode decimals
// (value = code / scale) or logarithms of seconds.
function column(packed) {
  if (!packed) return null;
  let values = UNPACKED.get(packed);
  if (values) return values;
  if (packed.kind === "exceptions") return unpackExceptions(packed);
  const raw = bytes(packed.b64);
  const codes = packed.bits === 8 ? raw : new Uint16Array(raw.buffer);
  const gap = packed.bits === 8 ? 255 : ABSENT;
  values = new Float64Array(codes.length);
  for (let i = 0; i < codes.length; i += 1) {
    if (codes[i] === gap) values[i] = NaN;
    else if (packed.kind === "log") values[i] = 10 ** (codes[i] / packed.scale - packed.shift);
    else values[i] = codes[i] / packed.scale;
  }
  UNPACKED.set(packed, values);
  return values;
}

// Counts that rarely vary: one usual count per method, and a map of the exceptions.
function unpackExceptions(packed) {
  const values = new Map();
  let at = 0;
  packed.places.forEach((step, k) => values.set((at += step), packed.values[k]));
  UNPACKED.set(packed, values);
  return values;
}

function isSet(mask, i) {
  return mask === null || ((mask[i >> 3] >> (i & 7)) & 1) === 1;
}

function sliceMask(slice) {
  if (!slice.members) return null;
  let mask = UNPACKED.get(slice);
  if (!mask) UNPACKED.set(slice, (mask = bytes(slice.members)));
  return mask;
}

const unique = (items) => [...new Set(items)];

// A partition that accepts submissions and has no results of runs.
function closedBoard([suite, partition]) {
  const nothing = { statuses: [], method: [], failed: [], counts: [] };
  const all = { key: "all", group: "", label: "All data sets", members: null, n_sets: 0, tables: {} };
  return { suite, partition, protocol: "one-class", closed: true, n_sets: 0, n_methods: 0, n_trials: 0, methods: [],
    files: {}, sets: null, cells: null, slices: [all], policies: null, failure_counts: nothing };
}

const boards = [...data.boards, ...data.closed.map(closedBoard)];

function suiteOf(name) {
  return data.suites.find((s) => s.name === name) ?? { name, title: name };
}

function methodLabel(method) {
  const bare = method.config === "default" || method.config === "";
  return bare ? method.detector : `${method.detector}[${method.config}]`;
}

function boardFor(scope) {
  const fits = (b) =>
    b.suite === scope.suite && b.partition === scope.partition &&
    b.protocol === scope.protocol;
  return boards.find(fits);
}

function sliceFor(board, key) {
  return board.slices.find((s) => s.key === key) ?? board.slices[0];
}

// The named quantity of method i on data set t.
function cell(board, name, t, i) {
  const packed = board.cells?.[name];
  if (!packed) return NaN;
  const at = i * board.n_sets + t;
  if (packed.kind === "exceptions") return column(packed).get(at) ?? packed.usual[i];
  return column(packed)[at];
}

// Share of data sets on which method i beats method j; only pairs with i < j are stored.
function winShare(slice, metric, m, i, j) {
  const packed = slice.wins?.[metric];
  if (!packed || i === j) return NaN;
  const [a, b] = i < j ? [i, j] : [j, i];
  const share = column(packed)[(a * (2 * m - a - 1)) / 2 + b - a - 1];
  return i < j ? share : 1 - share;
}

function filesOf(board, ...names) {
  return names.filter((name) => board.files[name]).map((name) => [board.files[name], `${name}.csv`]);
}

function setsOf(board, slice) {
  if (!board.sets) return [];
  const mask = sliceMask(slice);
  const out = [];
  for (let t = 0; t < board.n_sets; t += 1) if (isSet(mask, t)) out.push(t);
  return out;
}

function fact(board, name, t) {
  const values = board.sets[name];
  if (!values) return null;
  if (values.words) return values.words[values.codes[t]] ?? null;
  return values[t] ?? null;
}
