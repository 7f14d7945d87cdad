// Copyright (c) 2026, the ece.platform authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Cells of tables know the names of their columns, which a phone shows in place of the header.
document.addEventListener("DOMContentLoaded", () => {
  for (const table of document.querySelectorAll("table.cards")) {
    const names = Array.from(table.querySelectorAll("thead th"), (cell) => cell.textContent.trim());
    for (const row of table.querySelectorAll("tbody tr")) {
      Array.from(row.cells).forEach((cell, column) => { cell.dataset.column = names[column] || ""; });
    }
  }
});

// Names of options stay in one piece.
document.addEventListener("DOMContentLoaded", () => {
  for (const word of document.querySelectorAll("code.literal .pre")) {
    word.classList.toggle("option-name", word.textContent.startsWith("-"));
  }
});
