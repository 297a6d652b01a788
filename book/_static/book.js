// The buttons that copy code have a picture only; give them a name that can be read aloud.
window.addEventListener("load", () => {
  for (const button of document.querySelectorAll("button.copybtn")) button.setAttribute("aria-label", "Copy this code");
  // The bibliography is a list whose entries say another role.
  for (const entry of document.querySelectorAll(".citation-list > .citation")) entry.setAttribute("role", "listitem");
  // In the drawing of the package, what a room uses lights up while one points at the room.
  for (const room of document.querySelectorAll(".package-map a")) {
    const used = room.dataset.uses.split(" ").map((name) => `.package-map a[data-room="${name}"]`);
    const lines = `.package-map path[data-from="${room.dataset.room}"]`;
    const show = (is) => {
      for (const part of document.querySelectorAll([lines, ...used].join())) part.classList.toggle("used", is);
    };
    for (const event of ["pointerenter", "focus"]) room.addEventListener(event, () => show(true));
    for (const event of ["pointerleave", "blur"]) room.addEventListener(event, () => show(false));
  }
  // On a phone a stacked table has no head: each cell says its column itself (see book.css).
  for (const table of document.querySelectorAll("table.stacked")) {
    const names = [...table.querySelectorAll("thead th")].map((head) => head.textContent.trim());
    for (const row of table.querySelectorAll("tbody tr"))
      [...row.cells].forEach((cell, index) => cell.setAttribute("data-column", names[index] ?? ""));
  }
});
