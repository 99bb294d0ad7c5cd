// Dark or light theme: the system's, or the reader's choice, stored if the browser allows.

const THEMES = ["auto", "light", "dark"];

function storedTheme() {
  try {
    const theme = localStorage.getItem("odbench-theme");
    return THEMES.includes(theme) ? theme : "auto";
  } catch {
    return "auto"; // Browsers may forbid storage for pages opened from disk.
  }
}

function applyTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("odbench-theme", theme);
  } catch {
    // Without storage, the choice is lost when the page closes.
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
