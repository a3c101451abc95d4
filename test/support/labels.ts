/**
 * Whether words in a prompt, or in what a tool answered, stand where everybody sees that they are a stranger's: read as
 * a model would have to read it, by fences, quoted lines and quotes, without asking the code that made them.
 */
const LABELS = [
  // The author comes first: "(not trusted)" behind a file's name or behind whom it replies to is somebody else's.
  /^(?:`{3,} )?[a-z]+(?: [a-z0-9]+)* by [\w.-]+(?:, edited by [\w., -]+?)? \(not trusted\)/,
  /^`{3,} name \(not trusted\)/,
  /^log, printed by whatever code ran \(not trusted\):$/,
];
const isLabel = (line: string) => LABELS.some((label) => label.test(line));

/** Places where `marker` stands without its label, each with its line. */
export function unlabelled(text: string, marker: string): string[] {
  const lines = text.split('\n');
  const wrong: string[] = [];
  let fence: { run: string; label: string } | null = null;
  for (const [n, line] of lines.entries()) {
    const run = /^(`{3,})(?:$| )/.exec(line)?.[1];
    if (fence !== null && line === fence.run) {
      fence = null;
      continue;
    }
    if (line.includes(marker) && !isLabelled({ lines, n, fence, marker, text })) wrong.push(line);
    if (fence === null && run !== undefined) fence = { run, label: line };
  }
  return wrong;
}

interface At {
  lines: string[];
  n: number;
  fence: { label: string } | null;
  marker: string;
  text: string;
}

function isLabelled({ lines, n, fence, marker, text }: At): boolean {
  const line = lines[n]!;
  if (fence !== null) return isLabel(fence.label);
  if (line.startsWith('> ')) {
    const above = lines.slice(0, n).findLast((one) => !one.startsWith('> '));
    return above !== undefined && isLabel(above);
  }
  return (
    quotes(line)
      .filter(({ inside }) => inside.includes(marker))
      .every(({ before, after }) => isMarkedQuote(before, after) || hasNote(text)) &&
    !outsideQuotes(line).includes(marker)
  );
}

/** `"…" by eve (not trusted)`, or `by eve (not trusted): "…"`, or the same in the label of a fence */
function isMarkedQuote(before: string, after: string): boolean {
  return (
    /^ by [^"]*?\(not trusted\)/.test(after) ||
    /\(not trusted\): $/.test(before) ||
    /^`{3,} [^"]*\(not trusted\)[^"]*$/.test(before)
  );
}

/** Of names of which nobody knows who chose them, one sentence says what they are. */
function hasNote(text: string): boolean {
  return /double quotes(?:,| were chosen by people on the forge \(not trusted\))/.test(text);
}

function quotes(line: string): { inside: string; before: string; after: string }[] {
  return [...line.matchAll(/"(?:[^"\\]|\\.)*"/g)].map((match) => ({
    inside: match[0],
    before: line.slice(0, match.index),
    after: line.slice(match.index + match[0].length),
  }));
}

function outsideQuotes(line: string): string {
  return line.replace(/"(?:[^"\\]|\\.)*"/g, '""');
}

/** Every text that a request gave to the model as the user's: prompts and answers of tools. */
export function textsOf(messages: readonly { role: string; content: unknown }[]): string[] {
  return messages.filter(({ role }) => role === 'user').flatMap(({ content }) => textsIn(content));
}

function textsIn(content: unknown): string[] {
  if (typeof content === 'string') return [content];
  if (Array.isArray(content)) return content.flatMap(textsIn);
  if (typeof content !== 'object' || content === null) return [];
  if ('text' in content) return textsIn(content.text);
  return 'content' in content ? textsIn(content.content) : [];
}
