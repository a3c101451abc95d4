/**
 * The agent, flow and skill folders: the shipped files, and the operator's, which replace them or add to them.
 */
import { basename, extname, join, resolve } from 'node:path';
import { type AgentDefaults, readAgent } from './agent-file.ts';
import type { AgentConfig, Flow, Skill } from './config.ts';
import type { SkillReads } from './flow-events.ts';
import { mergeFlows, readFlow, readFlows } from './flow-file.ts';
import { checkFlowNames } from './flow-names.ts';
import { checkEntries } from './folder-entries.ts';
import type { Loading } from './loading.ts';
import { readSkill, templateProblem } from './skill-file.ts';
import { Templates } from './templates.ts';

type FolderKind = 'agents' | 'flows' | 'skills';

export interface Folder {
  /** the shipped folder of this kind */
  shipped: string;
  own: string;
  /** true when the configuration names the folder: then it must exist */
  required: boolean;
}

export interface FolderSetting {
  kind: FolderKind;
  /** the prepared value of the key; validation reports anything but a text */
  setting: unknown;
  /** claude-hooks.yaml; `base` is the folder it is in */
  file: string;
  base: string;
  /** folder that holds the shipped folders */
  defaults: string;
}

export function folderOf({ kind, setting, file, base, defaults }: FolderSetting, loading: Loading): Folder {
  const required = typeof setting === 'string' && setting !== '';
  const own = resolve(base, required ? setting : kind);
  if (required && loading.sources.list(own, []) === null) {
    loading.problems.push({
      file,
      path: kind,
      value: JSON.stringify(setting),
      problem: `there is no folder ${own}`,
      remedy: `Create it, or remove the line to use the shipped ${kind}.`,
    });
  }
  return { shipped: join(defaults, kind), own, required };
}

export interface Found<T> {
  valid: Map<string, T>;
  /** names of all files, valid or not */
  names: Set<string>;
}

export function readAgents(folder: Folder, defaults: AgentDefaults, loading: Loading): Found<AgentConfig> {
  const files = byName('agents', folder, loading);
  const valid = new Map<string, AgentConfig>();
  for (const [name, file] of files) {
    const text = textOf(file, loading);
    const agent = text === null ? null : readAgent(file, text, defaults, loading);
    if (agent !== null) valid.set(name, agent);
  }
  return { valid, names: new Set(files.keys()) };
}

export interface FoundSkills extends Found<Skill> {
  reads: Map<string, SkillReads>;
}

export function readSkills(folder: Folder, loading: Loading): FoundSkills {
  const texts = [...byName('skills', folder, loading)].map(
    ([name, file]) => [name, file, textOf(file, loading)] as const,
  );
  const partials = texts.filter(([name]) => name.startsWith('_'));
  const skills = texts.filter(([name]) => !name.startsWith('_'));
  const templates = new Templates(
    Object.fromEntries(partials.map(([name, , text]) => [name, (text ?? '').trim()])),
  );
  for (const [, file, text] of partials) {
    const parsed = templates.parse(text ?? '');
    if (parsed.kind === 'wrong') loading.problems.push(templateProblem(file, parsed.line, parsed.problem));
  }
  for (const [name, file] of partials) loading.partials.set(name, file);
  const valid = new Map<string, Skill>();
  const reads = new Map<string, SkillReads>();
  for (const [name, file, text] of skills) {
    const read = text === null ? null : readSkill(file, text, templates, loading);
    if (read === null) continue;
    valid.set(name, read.skill);
    reads.set(name, { file, reads: read.reads });
  }
  return { valid, names: new Set(skills.map(([name]) => name)), reads };
}

const ENDINGS = ['.yaml', '.yml'];

export function readFlowFolder(folder: Folder, loading: Loading): Flow[] {
  const read = (path: string) =>
    (loading.sources.list(path, ENDINGS) ?? []).flatMap((file) =>
      readFlows(file, textOf(file, loading) ?? '', loading),
    );
  const { own: folderOwn } = folder;
  if (folderOwn !== folder.shipped)
    checkEntries({ kind: 'flows', folder: folderOwn, endings: ENDINGS }, loading);
  const shipped = read(folder.shipped);
  const own = folder.own === folder.shipped ? [] : checkFlowNames(read(folder.own), shipped, loading);
  const seen = new Map<string, string>();
  const flows: Flow[] = [];
  for (const raw of mergeFlows(own, shipped)) {
    const twin = raw.name === null ? undefined : seen.get(raw.name);
    if (raw.name !== null && twin !== undefined) {
      const problem = `${twin} has a flow of that name as well`;
      loading.problems.push({
        file: raw.file,
        path: `${raw.name}.name`,
        value: JSON.stringify(raw.name),
        problem,
        remedy: 'Rename one of them.',
      });
      continue;
    }
    if (raw.name !== null) seen.set(raw.name, raw.file);
    const flow = readFlow(raw, loading);
    if (flow !== null) flows.push(flow);
  }
  return flows;
}

/** Null when the file has no text; that is reported. */
function textOf(file: string, { sources, problems }: Loading): string | null {
  const text = sources.text(file);
  if (text !== null && text.trim() !== '') return text;
  const problem = text === null ? sources.trouble(file) : 'is empty';
  const remedy = 'Mend or remove it: docs/configuration.md says what belongs into it.';
  problems.push({ file, path: '', value: null, problem, remedy });
  return null;
}

/** name → file; the operator's file wins. */
function byName(kind: 'agents' | 'skills', folder: Folder, loading: Loading): Map<string, string> {
  if (folder.own !== folder.shipped) checkEntries({ kind, folder: folder.own, endings: ['.md'] }, loading);
  const files = [folder.shipped, folder.own].flatMap((path) => loading.sources.list(path, ['.md']) ?? []);
  return new Map(
    files
      .filter((file) => basename(file).toLowerCase() !== 'readme.md')
      .map((file) => [basename(file, extname(file)), file]),
  );
}
