// Ends what acts on a quote when its time is over, and asks for the page that offers a new one.
"use strict";

document.addEventListener("countdown-over", (event) => {
  const stands = document.documentElement.dataset.clock === "stands";
  if (stands || !event.target.closest(".countdown")) return;
  for (const act of document.querySelectorAll("[data-ends-with-quote]")) {
    act.disabled = true;
  }
  setTimeout(() => location.reload(), 1200);
});
