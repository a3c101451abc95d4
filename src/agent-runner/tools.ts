/**
 * Which of the CLI's tools and kinds of subagents an agent has. The lists say what is offered, not what is taken away, so
 * a new release of the CLI adds nothing by itself.
 */
import { toolOfRule, USUAL_TOOLS } from '../vocabulary.ts';
import type { AgentOptions } from './run.ts';

/** As the SDK takes it. */
interface Subagent {
  description: string;
  prompt: string;
  disallowedTools?: string[];
}

/** Names of the CLI's own tools, in one order, so that the beginning of every prompt is the same. */
export function builtInTools({
  tools,
  disallowedTools,
}: Pick<AgentOptions, 'tools' | 'disallowedTools'>): string[] {
  const named = tools?.map(toolOfRule) ?? USUAL_TOOLS;
  // A rule such as `Bash(rm *)` forbids some calls; the tool itself stays.
  const own = [...new Set(named)].filter((name) => !name.startsWith('mcp__'));
  return own.filter((name) => !disallowedTools.includes(name)).sort();
}

/**
 * They replace the CLI's own kinds, some of which only help a person at a terminal, and keep the names that the CLI falls
 * back to. The kinds that a repository has in `.claude/agents` come on top.
 */
export function subagents(builtIn: readonly string[]): Record<string, Subagent> {
  if (!builtIn.includes('Agent')) return {};
  return { 'general-purpose': GENERAL, Explore: EXPLORE };
}

const REPORT =
  'End with a short report: what you found or did, with file and line, and what you could not settle. The one who asked ' +
  'sees nothing but this report.';

const GENERAL: Subagent = {
  description:
    'For a task of several steps of which only the outcome matters: answers a question about the code, runs commands, makes a change.',
  prompt: `You do one task in a checkout of a repository, for another agent. Do all of it and nothing beyond it. ${REPORT}`,
};

const EXPLORE: Subagent = {
  description:
    'Only reads: finds where something is, across many files, when the answer is needed and not the text of the files. Say how thorough it should be.',
  prompt: `You look for something in a checkout of a repository, for another agent. You read and search, and change nothing: no file, no branch, no package. Run independent searches at once. ${REPORT}`,
  disallowedTools: ['Agent', 'Edit', 'NotebookEdit', 'Write'],
};
