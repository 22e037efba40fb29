// The report's only behaviour: sort tables by a column, and show one page at a time by the address's fragment.
"use strict";
(() => {
  const value = (row, column) => {
    const cell = row.cells[column];
    return "order" in cell.dataset ? parseFloat(cell.dataset.order) : cell.textContent;
  };

  // What is not known (NaN) stays last in both directions; equal rows keep their order.
  const compare = (a, b, sign) => {
    if (typeof a === "string") return sign * a.localeCompare(b, "en", { numeric: true });
    if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
    return sign * (a - b);
  };

  const sort = (heading) => {
    const column = heading.cellIndex;
    const body = heading.closest("table").tBodies[0];
    const direction = heading.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
    for (const other of heading.parentElement.cells) other.setAttribute("aria-sort", "none");
    heading.setAttribute("aria-sort", direction);
    const sign = direction === "ascending" ? 1 : -1;
    body.append(...[...body.rows].sort((a, b) => compare(value(a, column), value(b, column), sign)));
  };

  const pages = [...document.querySelectorAll("[data-page]")];
  const show = () => {
    const wanted = decodeURIComponent(location.hash.slice(1));
    const page = pages.find((one) => one.dataset.page === wanted) || pages[0];
    for (const one of pages) one.hidden = one !== page;
    document.querySelector("header.top").hidden = page !== pages[0]; // a trial's page has a heading of its own
    if (wanted) {
      page.focus({ preventScroll: true });
      (document.getElementById(wanted) || page).scrollIntoView();
    }
    window.dispatchEvent(new Event("resize")); // figures drawn while hidden take their width now
  };

  for (const button of document.querySelectorAll("table.sortable th button")) {
    button.addEventListener("click", () => sort(button.closest("th")));
  }
  window.addEventListener("hashchange", show);
  show();
})();
