// Builds elements. Strings only become text nodes: the page never parses markup.

const SVG_NAMESPACE = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "vars") {
      for (const [key, v] of Object.entries(value)) node.style.setProperty(key, v);
    } else node.setAttribute(name, value === true ? "" : String(value));
  }
  append(node, children);
  return node;
}

function append(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG_NAMESPACE, tag), attributes, children);
}

function hidden(text) {
  return el("span", { class: "visually-hidden" }, text);
}

// A link to another site, or plain text if the address is not a web address.
function outwardLink(address, text = address) {
  let url = null;
  try {
    url = new URL(address);
  } catch {
    return document.createTextNode(text);
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    return document.createTextNode(text);
  }
  return el("a", { href: url.href, rel: "noopener noreferrer external" }, text);
}

// A link to a file next to the page. Paths with a scheme, a host or .. become text.
function fileLink(path, text) {
  const plain = /^[A-Za-z0-9_-][A-Za-z0-9_.-]*(\/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$/;
  return plain.test(path) ? el("a", { href: path }, text) : document.createTextNode(text);
}

function offerDownload(name, text) {
  offerFile(name, new Blob([text], { type: "text/csv;charset=utf-8" }));
}

function offerFile(name, blob) {
  const url = URL.createObjectURL(blob);
  const link = el("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
