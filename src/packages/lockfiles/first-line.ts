/** What a parser said, short: its further lines quote the file. */
export function firstLine(error: unknown): string {
  const [line = ''] = String(error instanceof Error ? error.message : error).split('\n');
  return line.slice(0, 200).replace(/[.:]$/, '');
}
