"use strict";
(() => {
  const list = document.getElementById("lines");
  if (!list) return;
  const tools = document.querySelector(".tools");
  const shown = document.getElementById("shown");
  const items = Array.from(list.children);
  const cards = Array.from(list.querySelectorAll("details"));
  const texts = new Map(items.map((item) => [item, item.textContent.toLowerCase()]));
  const field = (name) => document.getElementById(name);
  const chosen = ["severity", "status", "account"].map(field).filter(Boolean);

  const orders = {
    rank: (a, b) => a.dataset.rank - b.dataset.rank,
    name: (a, b) => (a.dataset.name < b.dataset.name ? -1 : a.dataset.name > b.dataset.name ? 1 : 0),
    since: (a, b) => (b.dataset.since || 0) - (a.dataset.since || 0) || orders.rank(a, b),
  };

  const fits = (item) =>
    texts.get(item).includes(field("find").value.trim().toLowerCase()) &&
    chosen.every((choice) => !choice.value || item.dataset[choice.id] === choice.value);

  const filter = () => {
    let count = 0;
    for (const item of items) {
      item.hidden = !fits(item);
      if (!item.hidden) count += 1;
    }
    const number = (n) => n.toLocaleString("en");
    shown.textContent = `${number(count)} of ${number(items.length)} shown`;
  };

  const sort = () => {
    list.append(...items.slice().sort(orders[field("sort").value]));
  };

  const fold = (open) => () => {
    for (const card of cards) card.open = open;
  };

  tools.hidden = false;
  field("find").addEventListener("input", filter);
  for (const choice of chosen) choice.addEventListener("change", filter);
  field("sort").addEventListener("change", sort);
  field("open").addEventListener("click", fold(true));
  field("close").addEventListener("click", fold(false));

  let before = [];
  window.addEventListener("beforeprint", () => {
    before = cards.map((card) => card.open);
    fold(true)();
  });
  window.addEventListener("afterprint", () => {
    cards.forEach((card, n) => {
      card.open = before[n];
    });
  });
})();
