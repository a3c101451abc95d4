/** Tables: their rows, and cells beyond the last column. Pure. */
import type { Segment } from './markdown-blocks.ts';

export interface Table {
  /** lines of the paragraph before the table */
  before: number;
  /** one entry a row, without the row of dashes */
  rows: { cells: Segment[] /** from the first cell beyond the last column on */; excess: Segment | null }[];
}

export function tableIn(source: string, lines: readonly Segment[]): Table | null {
  for (let index = 1; index < lines.length; index += 1) {
    const dashes = lines[index]!;
    if (!/^[|:\- \t]+$/.test(source.slice(dashes.start, dashes.end))) continue;
    const columns = cellsOf(source, dashes);
    const isDelimiter = columns.every(({ start, end }) => /^\s*:?-+:?\s*$/.test(source.slice(start, end)));
    const header = cellsOf(source, lines[index - 1]!);
    if (!isDelimiter || header.length !== columns.length) continue;
    const body = [lines[index - 1]!, ...lines.slice(index + 1)];
    return { before: index - 1, rows: body.map((line) => row(source, line, columns.length)) };
  }
  return null;
}

function row(source: string, line: Segment, columns: number): Table['rows'][number] {
  const cells = cellsOf(source, line);
  const first = cells[columns];
  return {
    cells: cells.slice(0, columns),
    excess: first === undefined ? null : { start: first.start, end: cells.at(-1)!.end },
  };
}

/** Cells are what stands between unescaped bars; nothing outside the bars at both ends is a cell. */
function cellsOf(source: string, { start, end }: Segment): Segment[] {
  const cells: Segment[] = [];
  let from = start;
  for (let at = start; at < end; at += 1) {
    const c = source[at];
    if (c === '\\') at += 1;
    else if (c === '|') {
      if (!(from === start && source.slice(start, at).trim() === '')) cells.push({ start: from, end: at });
      from = at + 1;
    }
  }
  if (source.slice(from, end).trim() !== '') cells.push({ start: from, end });
  return cells;
}
