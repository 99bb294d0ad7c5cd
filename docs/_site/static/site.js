// The theme's buttons that unfold a part of the navigation have no name to read aloud.
for (const button of document.querySelectorAll("nav summary")) {
  button.setAttribute("aria-label", "Pages of this part");
}

// Words up to this length stay in one piece when a command or a cell is broken into lines.
const longest = 32;

for (const pre of document.querySelectorAll(
  ".highlight-console pre, .highlight-bash pre",
)) {
  const walker = document.createTreeWalker(pre, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) texts.push(walker.currentNode);
  for (const text of texts) {
    const parts = text.data.split(/(\s+)/).map((part) => {
      if (part.trim() === "" || part.length > longest) return part;
      const word = document.createElement("span");
      word.className = "word";
      word.textContent = part;
      return word;
    });
    text.replaceWith(...parts);
  }
}

for (const word of document.querySelectorAll("td code .pre")) {
  if (word.textContent.length > longest) word.classList.add("long");
}

// A sentence in a cell gets room, instead of a word per line beside the other columns.
for (const cell of document.querySelectorAll("td")) {
  if (cell.textContent.length > 2 * longest) cell.classList.add("sentence");
}
