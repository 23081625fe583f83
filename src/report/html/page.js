"use strict";
// The filter of the changes. It also reads the address: report.html#q=mug&status=held+back
(() => {
  const form = document.querySelector(".filter");
  if (!form) return;
  const [text, section, status] = form.elements;
  const shown = form.querySelector("output");
  const rows = [...document.querySelectorAll(".changes tbody tr")];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const cell = (row, at) => row.cells[at].textContent;
  const filter = () => {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    rows.forEach((row, at) => {
      const fits = words.every((word) => texts[at].includes(word))
        && (!section.value || cell(row, 0) === section.value)
        && (!status.value || cell(row, 7) === status.value);
      row.hidden = !fits;
      count += fits;
    });
    shown.textContent = `${count.toLocaleString("en")} of ${rows.length.toLocaleString("en")} rows`;
  };
  const wanted = new URLSearchParams(location.hash.slice(1));
  text.value = wanted.get("q") ?? "";
  section.value = wanted.get("section") ?? "";
  status.value = wanted.get("status") ?? "";
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  filter();
})();
