/**
 * Text whose lines hold tabs, with the cells of neighbouring lines aligned, two spaces apart: a column reaches over the lines in a row that
 * have it. The cell after a line's last tab is as long as it is.
 */
export function align(text: string): string {
  const lines = text.split("\n").map((line) => line.split("\t"));
  const widths = lines.map((): number[] => []);
  const measure = (from: number, to: number, column: number) => {
    const hasColumn = (at: number) => (lines[at]?.length ?? 0) > column + 1;
    for (let start = from; start < to; start++) {
      if (!hasColumn(start)) continue;
      let end = start;
      while (end < to && hasColumn(end)) end++;
      const width = Math.max(...lines.slice(start, end).map((cells) => cells[column]?.length ?? 0)) + 2;
      for (let at = start; at < end; at++) widths[at]![column] = width;
      measure(start, end, column + 1);
      start = end;
    }
  };
  measure(0, lines.length, 0);
  return lines
    .map((cells, at) =>
      cells
        .map((cell, column) => (column < cells.length - 1 ? cell.padEnd(widths[at]?.[column] ?? 0) : cell))
        .join(""),
    )
    .join("\n");
}
