/** A run as an earlier release of ours made it: all tools of the CLI, its own kinds of subagents, its skills and its memory. */
import type { ContainerEngine } from '../../src/container/container.ts';
import { processEngine } from '../../src/container/process.ts';
import type { Gateway } from '../../src/gateway/port.ts';
import { FLOCK } from './conversation.ts';

const NEW_VARIABLES = [
  'CLAUDE_AGENT_SDK_DISABLE_BUILTIN_AGENTS',
  'CLAUDE_CODE_DISABLE_AUTO_MEMORY',
  'CLAUDE_CODE_DISABLE_BUNDLED_SKILLS',
  'ENABLE_TOOL_SEARCH',
];
const NEW_SETTINGS = ['autoMemoryEnabled', 'disableBundledSkills', 'enabledPlugins'];

export function earlierEngine(): ContainerEngine {
  const engine = processEngine({ flock: FLOCK });
  return {
    ...engine,
    reapOrphans: (...of) => engine.reapOrphans(...of),
    start: async (spec) => {
      const container = await engine.start(spec);
      return {
        stop: (grace) => container.stop(grace),
        spawn: (spawn) =>
          container.spawn({
            ...spawn,
            args: earlierArguments(spawn.args),
            env: without(spawn.env, NEW_VARIABLES),
          }),
      };
    },
  };
}

function earlierArguments(args: string[]): string[] {
  const kept = args.filter((arg) => !arg.startsWith('--tools'));
  const at = kept.indexOf('--settings') + 1;
  const settings = without(JSON.parse(kept[at]!), NEW_SETTINGS);
  kept[at] = JSON.stringify({ ...settings, env: without(settings.env as object, NEW_VARIABLES) });
  return kept;
}

function without<T extends object>(from: T, names: readonly string[]): T {
  return Object.fromEntries(Object.entries(from).filter(([name]) => !names.includes(name))) as T;
}

/** It let every tool through. */
export function earlierGateway(ours: Gateway): Gateway {
  const all = new Proxy<string[]>([], { get: (_, name) => (name === 'includes' ? () => true : undefined) });
  return { ...ours, open: (run) => ours.open({ ...run, tools: all }) };
}
