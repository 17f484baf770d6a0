/**
 * Columns padded as kubectl pads them: three spaces between, at least `least` wide with those, the last one as it is. `widths` may come from an
 * earlier part of the same table, and remembers this one's.
 */
export function formatTable(rows: readonly (readonly string[])[], least = 0, widths: number[] = []): string {
  for (const row of rows)
    row.forEach((cell, index) => {
      widths[index] = Math.max(widths[index] ?? 0, cell.length + 3, least);
    });
  return rows
    .map((row) =>
      row.map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0))).join(""),
    )
    .map((line) => `${line}\n`)
    .join("");
}
