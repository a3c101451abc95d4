/** A Markdown file with YAML front matter between two `---` lines at its top. */
import type { ConfigProblem } from '../errors.ts';
import { type LineOf, readYaml } from './yaml-text.ts';

export type FrontMatter =
  | {
      kind: 'parts';
      matter: unknown;
      body: string;
      /** line of the file on which the body starts */
      bodyLine: number;
      lineOf: LineOf;
    }
  | { kind: 'problems'; problems: ConfigProblem[] };

export function readFrontMatter(file: string, text: string): FrontMatter {
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  const end = lines.findIndex((line, index) => index > 0 && line.trimEnd() === '---');
  if (lines[0]?.trimEnd() !== '---' || end === -1) {
    const problem = {
      file,
      path: '',
      value: null,
      problem: 'has no front matter',
      remedy: 'Begin the file with a line ---, then keys such as "description: …", then another line ---.',
    };
    return { kind: 'problems', problems: [problem] };
  }
  const yaml = readYaml(file, lines.slice(1, end).join('\n'), 2);
  if (yaml.kind === 'problems') return yaml;
  return {
    kind: 'parts',
    matter: yaml.value ?? {},
    body: lines.slice(end + 1).join('\n'),
    bodyLine: end + 2,
    lineOf: yaml.lineOf,
  };
}
