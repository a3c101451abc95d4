/** YAML text to plain values, with the line of each value. Errors come with line and column. */
import { type Document, isNode, isPair, LineCounter, parseDocument, type YAMLParseError } from 'yaml';
import type { ConfigProblem } from '../errors.ts';
import type { Path } from './table.ts';

export type YamlResult =
  | {
      kind: 'value';
      value: unknown;
      /** finds the line of a value in the file, or of the nearest thing around it */
      lineOf: LineOf;
    }
  | { kind: 'problems'; problems: ConfigProblem[] };

export type LineOf = (path: Path) => number | null;

/** `firstLine` is where the text starts in its file (front matter starts on line 2). */
export function readYaml(file: string, text: string, firstLine = 1): YamlResult {
  const lines = new LineCounter();
  // `prettyErrors` quotes the source line, which may hold a secret.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const problems = worthSaying(document.errors).map((error) => {
    const { line, col } = lines.linePos(error.pos[0]);
    const { problem, remedy } = inOurWords(error, text);
    const at = line + firstLine - 1;
    return {
      file,
      line: at,
      path: '',
      value: null,
      problem: `${problem}, line ${at}, column ${col}`,
      remedy,
    };
  });
  if (problems.length > 0) return { kind: 'problems', problems };
  try {
    const lineOf: LineOf = (path) => {
      const at = offsetOf(document, path);
      return at === null ? null : lines.linePos(at).line + firstLine - 1;
    };
    return { kind: 'value', value: document.toJS(), lineOf };
  } catch (error) {
    const problem = `is not valid YAML: ${withoutSource((error as Error).message)}`;
    return { kind: 'problems', problems: [{ file, path: '', value: null, problem, remedy: REMEDY }] };
  }
}

/**
 * After one syntax error the parser reports errors in everything that follows, so only the first is kept. Duplicate
 * keys do not depend on each other and are all kept.
 */
function worthSaying(errors: readonly YAMLParseError[]): YAMLParseError[] {
  const first = errors.find(({ code }) => code !== 'DUPLICATE_KEY');
  return errors.filter((error) => error === first || error.code === 'DUPLICATE_KEY');
}

const REMEDY =
  'Correct the text there: spaces for indentation, quotes around values with special characters.';

function inOurWords(error: YAMLParseError, text: string): { problem: string; remedy: string } {
  const at = error.pos[0];
  const variable = /^\$\{[A-Za-z_][A-Za-z0-9_]*/.exec(text.slice(at - 1))?.[0];
  // guard: quote it
  if (variable !== undefined) {
    return {
      problem: `has ${variable}} without quotes inside of { } or [ ]`,
      remedy: `Write "${variable}}" there, with the quotes.`,
    };
  }
  switch (error.code) {
    case 'TAB_AS_INDENT':
      return { problem: 'has a tab where YAML wants spaces', remedy: 'Replace the tab by spaces.' };
    case 'DUPLICATE_KEY':
      return { problem: 'has the same key twice', remedy: 'Take out one of the two.' };
    case 'MULTIPLE_DOCS':
      return {
        problem: 'has a second document after a line ---',
        remedy: 'Take out the line ---; several flows in one file are a list, each with a dash.',
      };
    default:
      return { problem: `is not valid YAML (${withoutSource(error.message)})`, remedy: REMEDY };
  }
}

/** The parser ends some messages with `: <the text it met>`. */
function withoutSource(message: string): string {
  return message.split(': ')[0]!.split('\n')[0]!.replace(/[.:]$/, '');
}

/**
 * The position of the key where there is one, else of the value. Where the path does not exist, that of the nearest
 * thing around it.
 */
function offsetOf(document: Document, path: Path): number | null {
  for (let length = path.length; length > 0; length--) {
    const known = path.slice(0, length);
    const parent = length === 1 ? document.contents : document.getIn(known.slice(0, -1), true);
    const items = (parent as { items?: unknown[] } | null)?.items ?? [];
    const pair = items.find((item) => isPair(item) && String(item.key) === String(known.at(-1)));
    const node = pair === undefined ? document.getIn(known, true) : (pair as { key: unknown }).key;
    if (isNode(node) && node.range) return node.range[0];
  }
  return null;
}
