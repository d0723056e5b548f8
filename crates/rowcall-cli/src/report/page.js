"use strict";
// All of this is a convenience: the page is whole without it.
/** Makes the sample of rows searchable, as long as it is in the page. */
const searchable = (section) => {
  const [stories, search, stratum, order, fold, shown] =
    ["stories", "search", "stratum", "order", "fold", "shown"].map((id) => section.querySelector(`#${id}`));
  const rows = [...stories.children].map((element) => ({ element, text: element.textContent.toLowerCase() }));
  const show = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const { element, text } of rows) {
      const fits = (!stratum.value || element.dataset.stratum === stratum.value) && words.every((word) => text.includes(word));
      element.hidden = !fits;
      count += fits;
    }
    shown.textContent = `${count} of ${rows.length} rows`;
  };
  const sort = () => {
    const by = order.value;
    const sign = by === "row" ? 1 : -1;
    const value = ({ element }) => Number(element.dataset[by]);
    rows.sort((a, b) => sign * (value(a) - value(b)) || a.element.dataset.row - b.element.dataset.row);
    stories.append(...rows.map(({ element }) => element));
  };
  search.addEventListener("input", show);
  stratum.addEventListener("change", show);
  order.addEventListener("change", sort);
  fold.addEventListener("click", () => {
    const open = fold.textContent === "Open all";
    for (const { element } of rows) if (!element.hidden) element.open = open;
    fold.textContent = open ? "Close all" : "Open all";
  });
  section.querySelector(".controls").hidden = false;
  show();
};
const sortable = (table) => {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const falls = head.getAttribute("aria-sort") !== "descending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", falls ? "descending" : "ascending");
      const value = (row) => row.cells[column].dataset.v ?? row.cells[column].textContent;
      const compare = (a, b) => {
        const [x, y] = [value(a), value(b)];
        const numbers = x !== "" && y !== "" && !isNaN(x) && !isNaN(y);
        return numbers ? x - y : String(x).localeCompare(String(y));
      };
      body.append(...[...body.rows].sort((a, b) => (falls ? compare(b, a) : compare(a, b))));
    });
  });
};
const enhance = (root) => {
  if (root.querySelector("#stories")) searchable(root);
  root.querySelectorAll("table.sortable").forEach(sortable);
};
enhance(document);
const reveal = () => {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) target.open = true;
};
addEventListener("hashchange", reveal);
reveal();
