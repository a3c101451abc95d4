/** Questions to a person at a terminal; a secret is not shown while it is typed. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

export interface Ask {
  /** `preset` is the answer of an empty line */
  text(question: string, preset?: string): Promise<string>;
  secret(question: string): Promise<string>;
}

/** null: nobody can answer, as in a script. Questions go to standard error, so that the answer of the command stays alone. */
export function askAtTerminal(): Ask | null {
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) return null;
  return { text: askText, secret: askSecret };
}

async function askText(question: string, preset?: string): Promise<string> {
  const shown = preset === undefined ? `${question}: ` : `${question} [${preset}]: `;
  const answer = (await onTerminal(shown, process.stderr)).trim();
  return answer === '' ? (preset ?? '') : answer;
}

async function askSecret(question: string): Promise<string> {
  process.stderr.write(`${question} (not shown): `);
  // What is typed goes nowhere: the terminal is in raw mode, and its echo is this stream.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const answer = await onTerminal('', nowhere);
  process.stderr.write('\n');
  return answer.trim();
}

async function onTerminal(question: string, output: NodeJS.WritableStream): Promise<string> {
  const lines = createInterface({ input: process.stdin, output, terminal: true });
  try {
    return await lines.question(question);
  } finally {
    lines.close();
  }
}
