// Dark and light: the system's choice, or the reader's own, kept where it may be.

const THEMES = ["auto", "light", "dark"];

function storedTheme() {
  try {
    const theme = localStorage.getItem("odbench-theme");
    return THEMES.includes(theme) ? theme : "auto";
  } catch {
    return "auto"; // Storage may be forbidden for pages that come from a disk.
  }
}

function applyTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("odbench-theme", theme);
  } catch {
    // The choice then lasts as long as the page.
  }
}

function themeSwitch() {
  const now = storedTheme();
  applyTheme(now);
  const option = (theme) => [
    el("input", {
      type: "radio", name: "theme", id: `theme-${theme}`, value: theme,
      checked: theme === now, onchange: () => applyTheme(theme),
    }),
    el("label", { for: `theme-${theme}` }, theme[0].toUpperCase() + theme.slice(1)),
  ];
  return el("fieldset", { class: "theme" },
    el("legend", { class: "visually-hidden" }, "Colour theme"), THEMES.map(option));
}
