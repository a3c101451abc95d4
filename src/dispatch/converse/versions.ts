/**
 * What a run works by: model, effort, skill, flow, instructions. All are read once, at the start of the run, and kept in the row;
 * the next run is told what has changed since.
 */
import { createHash } from 'node:crypto';
import type { AgentConfig, Flow, Skill } from '../../config/config.ts';
import { oneLine } from '../../config/fence.ts';
import type { Rows } from '../../database/database.ts';
import { storedVersions } from '../../mailbox/versions.ts';

export interface Versions {
  model: string;
  effort: string | null;
  /** name and SHA-256 of the content; null where the configuration has none of this name */
  skill: Content;
  flow: Content;
  /** SHA-256 */
  instructions: string;
}

interface Content {
  name: string;
  digest: string | null;
}

export function versionsOf(
  agent: AgentConfig,
  leading: { skill: string; flow: string },
  { skills, flows }: { skills: ReadonlyMap<string, Skill>; flows: readonly Flow[] },
): Versions {
  const flow = flows.find(({ name }) => name === leading.flow);
  return {
    model: agent.model,
    effort: agent.effort ?? null,
    skill: { name: leading.skill, digest: skills.get(leading.skill)?.digest ?? null },
    flow: { name: leading.flow, digest: flow === undefined ? null : digestOf(flow) },
    instructions: digestOf(agent.instructions),
  };
}

function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

/** Sentences for a prompt of a conversation that goes on. */
export async function newVersions(rows: Rows, conversationId: string, now: Versions): Promise<string[]> {
  const earlier = (await storedVersions(rows, conversationId)).map(
    (stored) => JSON.parse(stored) as Versions,
  );
  const last = earlier[0];
  return last === undefined ? [] : changesBetween({ last, earlier, now });
}

/** `earlier`: newest first, with `last`. */
export function changesBetween(o: { last: Versions; earlier: readonly Versions[]; now: Versions }): string[] {
  const { last, earlier, now } = o;
  const changedContent = (what: 'skill' | 'flow'): string[] => {
    const before = earlier.find((one) => one[what].name === now[what].name);
    if (before === undefined || before[what].digest === now[what].digest) return [];
    return [`The ${what} ${oneLine(now[what].name)} that woke you was changed since it last did.`];
  };
  return [
    // guard: versions: the news says when they change
    ...(last.model === now.model
      ? []
      : [`You run with the model ${oneLine(now.model)} now; your last turn was ${oneLine(last.model)}’s.`]),
    ...(last.effort === now.effort
      ? []
      : [`Your effort is ${now.effort ?? 'the default'} now; it was ${last.effort ?? 'the default'}.`]),
    ...(last.instructions === now.instructions ? [] : ['The operator changed your instructions.']),
    ...changedContent('skill'),
    ...changedContent('flow'),
  ];
}
