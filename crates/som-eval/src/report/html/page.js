"use strict";
const form = document.querySelector(".filter");
const cards = [...document.querySelectorAll("article")];
function choose() {
  const row = form.elements.row.value, verdict = form.elements.verdict.value;
  let shown = 0;
  for (const card of cards) {
    const fits = (!row || card.dataset.row === row) && (!verdict || card.dataset.verdict === verdict);
    card.hidden = !fits;
    shown += fits;
  }
  form.querySelector("output").textContent = `${shown} of ${cards.length} shown`;
}
form.addEventListener("change", choose);
form.addEventListener("submit", (event) => event.preventDefault());
choose();
