// Shared by all drawings: axis ticks, and redrawing when the width changes.

function niceTicks(low, high, most) {
  const raw = (high - low) / Math.max(1, most) || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= raw);
  const ticks = [];
  for (let v = Math.ceil(low / step) * step; v <= high + step * 1e-9; v += step) ticks.push(Number(v.toPrecision(12)));
  return ticks;
}

let observed = [];

function drawWhenSized(holder, draw) {
  let last = 0;
  const observer = new ResizeObserver(() => {
    const width = Math.round(holder.clientWidth);
    if (!width || width === last) return;
    last = width;
    holder.replaceChildren(draw(width));
  });
  observer.observe(holder);
  observed.push(observer);
}

function forgetDrawings() {
  for (const observer of observed) observer.disconnect();
  observed = [];
}
