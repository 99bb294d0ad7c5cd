// The theme's buttons that unfold a part of the navigation have no name to read aloud.
for (const button of document.querySelectorAll("nav summary")) {
  button.setAttribute("aria-label", "Pages of this part");
}
