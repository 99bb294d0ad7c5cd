// Shared by all drawings: axis ticks, redrawing when the width changes, image files.

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

// Properties that a drawing has from the page's style sheet.
const DRAWN = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "opacity",
  "font-family", "font-size", "font-weight"];

function figureDownloads(name) {
  const button = (kind) => el("button", { type: "button", class: "quiet", id: `save-${kind}`,
    onclick: (event) => saveFigure(event.target.closest("figure").querySelector(".drawing svg"), name, kind) },
  `Download as ${kind.toUpperCase()}`, hidden(`: ${name}`));
  return el("div", { class: "downloads" }, button("svg"), button("png"));
}

// The drawing as a file of its own: colours and fonts inlined, on the page's paper.
function standaloneSvg(drawing) {
  const copy = drawing.cloneNode(true);
  const [from, to] = [drawing, copy].map((node) => [node, ...node.querySelectorAll("*")]);
  from.forEach((node, i) => {
    const style = getComputedStyle(node);
    for (const property of DRAWN) to[i].setAttribute(property, style.getPropertyValue(property));
    // The halo of a text lies below it on the page only; other programs draw it above.
    if (node.localName === "text") to[i].setAttribute("stroke", "none");
    to[i].removeAttribute("class");
  });
  copy.setAttribute("xmlns", SVG_NAMESPACE);
  copy.prepend(svg("rect", { width: "100%", height: "100%", fill: getComputedStyle(document.body).backgroundColor }));
  return new XMLSerializer().serializeToString(copy);
}

function saveFigure(drawing, name, kind) {
  const text = standaloneSvg(drawing);
  if (kind === "svg") return offerFile(`${name}.svg`, new Blob([text], { type: "image/svg+xml" }));
  const image = new Image();
  image.onload = () => {
    const canvas = el("canvas", { width: 2 * drawing.width.baseVal.value, height: 2 * drawing.height.baseVal.value });
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => offerFile(`${name}.png`, blob), "image/png");
  };
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  return undefined;
}
