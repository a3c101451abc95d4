/** YAML text to plain values, with line and column for what does not parse. */
import { LineCounter, parseDocument } from 'yaml';
import type { ConfigProblem } from '../errors.ts';

export type YamlResult = { kind: 'value'; value: unknown } | { kind: 'problems'; problems: ConfigProblem[] };

/** `firstLine` is where the text starts in its file (front matter starts on line 2). */
export function readYaml(file: string, text: string, firstLine = 1): YamlResult {
  const lines = new LineCounter();
  // `prettyErrors` quotes the source line, which may hold a secret.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const problems = document.errors.map((error) => {
    const { line, col } = lines.linePos(error.pos[0]);
    return syntaxProblem(
      file,
      `line ${line + firstLine - 1}, column ${col}: ${withoutSource(error.message)}`,
    );
  });
  if (problems.length > 0) return { kind: 'problems', problems };
  try {
    return { kind: 'value', value: document.toJS() };
  } catch (error) {
    return { kind: 'problems', problems: [syntaxProblem(file, withoutSource((error as Error).message))] };
  }
}

function syntaxProblem(file: string, problem: string): ConfigProblem {
  return {
    file,
    path: '',
    value: null,
    problem: `is not valid YAML, ${problem}`,
    remedy: 'Correct the text there: spaces for indentation, quotes around values with special characters.',
  };
}

/** The parser ends some messages with `: <the text it met>`. */
function withoutSource(message: string): string {
  return message.split(': ')[0]!.split('\n')[0]!.replace(/[.:]$/, '');
}
