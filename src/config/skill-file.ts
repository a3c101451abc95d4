/** One `skills/<name>.md`: front matter, the full form, and after a line `--- resumed ---` the short form. */
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import type { ConfigProblem } from '../errors.ts';
import { PROMISES } from '../vocabulary.ts';
import type { Skill } from './config.ts';
import { readFrontMatter } from './front-matter.ts';
import type { Loading } from './loading.ts';
import { NAME_PATTERN } from './option-kinds.ts';
import { validate } from './problems.ts';
import { tableOf } from './table.ts';
import { unknownVariable } from './template-fields.ts';
import type { Read, Templates } from './templates.ts';

export const skillOptions = z.strictObject({
  name: z.string().regex(NAME_PATTERN).optional().meta({
    description: 'The name of the file without `.md`.',
    'x-expects': 'lower-case letters, digits and dashes',
  }),
  description: z.string().min(1).meta({ description: 'What the skill asks for, in one sentence.' }),
  promises: z.array(z.enum(PROMISES)).default([]).meta({
    description:
      'What may come of a run with this skill: `head` (new commits), `pull` (a new pull request), `verdict` (a review), `answer` (a comment). When nothing of it is there after a run, the run made no progress; after two in a row a person is asked. Without it: nothing is checked.',
    'x-expects': 'a list of head, pull, verdict, answer',
  }),
});

const SKILL_TABLE = tableOf(skillOptions);
const SEPARATOR = /^--- resumed ---[ \t]*$/m;

export interface ReadSkill {
  skill: Skill;
  /** what its own text reads, without its partials; lines are those of the file */
  reads: readonly Pick<Read, 'path' | 'line'>[];
}

/** Null when the file has a problem; the problem has been reported. */
export function readSkill(
  file: string,
  text: string,
  templates: Templates,
  loading: Loading,
): ReadSkill | null {
  const name = basename(file, '.md');
  const parts = readFrontMatter(file, text);
  if (parts.kind === 'problems') {
    loading.problems.push(...parts.problems);
    return null;
  }
  loading.lines.set(file, parts.lineOf);
  const subject = { file, table: SKILL_TABLE, value: parts.matter };
  const found = validate(skillOptions, subject, (problem) => loading.problems.push(problem));
  const [full = '', short] = parts.body.split(SEPARATOR);
  const shortLine = parts.bodyLine + full.split('\n').length - 1;
  const render = readForm({ file, text: full, line: parts.bodyLine, form: 'full' }, templates, loading);
  const renderShort =
    short === undefined
      ? render
      : readForm({ file, text: short, line: shortLine, form: 'short' }, templates, loading);
  if (found === null || render === null || renderShort === null) return null;
  if (found.name !== undefined && found.name !== name) {
    loading.problems.push({
      file,
      path: 'name',
      value: JSON.stringify(found.name),
      problem: 'is not the name of the file',
      remedy: `Rename the file to ${found.name}.md, or write name: ${name}.`,
    });
    return null;
  }
  const skill: Skill = {
    name,
    file,
    description: found.description,
    promises: found.promises,
    digest: templates.digest(text),
    render: (form, context) => (form === 'full' ? render : renderShort).render(context),
  };
  return { skill, reads: [...render.reads, ...(renderShort === render ? [] : renderShort.reads)] };
}

interface Form {
  file: string;
  text: string;
  /** line of the file on which the text starts */
  line: number;
  form: 'full' | 'short';
}

function readForm(
  { file, text, line, form }: Form,
  templates: Templates,
  loading: Loading,
): { render(context: object): string; reads: ReadSkill['reads'] } | null {
  if (text.trim() === '') {
    const remedy = 'Write what the agent is to do; the short form comes after a line --- resumed ---.';
    loading.problems.push({ file, path: `${form} form`, value: null, problem: 'is empty', remedy });
    return null;
  }
  const parsed = templates.parse(text);
  if (parsed.kind === 'wrong') {
    loading.problems.push(templateProblem(file, parsed.line + line - 1, parsed.problem));
    return null;
  }
  const inFile = ({ path, line: row }: Read) => ({ path, line: row + line - 1 });
  const own = parsed.reads.filter(({ partial }) => partial === null).map(inFile);
  for (const read of own) reportUnknown(file, read, loading);
  for (const read of parsed.reads) {
    if (read.partial !== null) reportUnknown(partialFile(file, read.partial, loading), read, loading);
  }
  return { render: parsed.render, reads: own };
}

/** Reports an unknown variable once, however many skills include the partial. */
function reportUnknown(file: string, { path, line }: ReadSkill['reads'][number], loading: Loading): void {
  const unknown = unknownVariable(path);
  // guard: variables of skills are known
  if (unknown === null) return;
  const problem = { file, line, path: path.join('.'), value: null, ...unknown };
  if (loading.problems.some((known) => JSON.stringify(known) === JSON.stringify(problem))) return;
  loading.problems.push(problem);
}

function partialFile(skill: string, partial: string, loading: Loading): string {
  return loading.partials.get(partial) ?? join(dirname(skill), `${partial}.md`);
}

export function templateProblem(file: string, line: number, problem: string): ConfigProblem {
  return {
    file,
    line,
    path: `line ${line}`,
    value: null,
    problem,
    remedy:
      "Use Liquid's tags and filters, or ours: fenced, one_line; a partial is a file whose name begins with _.",
  };
}
