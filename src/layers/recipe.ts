/** What is to be set up: from the configuration, or from the file of the base branch. Pure. */
import type { SetupSettings } from '../config/config.ts';
import type { ReadSetupFile } from '../config/setup-file.ts';
import type { LayerMount } from '../container/place.ts';
import { steers } from '../steering/paths.ts';

export interface Recipe {
  source: 'configuration' | 'repository';
  commands: readonly string[];
  lockFiles: readonly string[];
  keep: readonly KeptPath[];
  limits: { timeoutMs: number; memoryBytes: number | null; maxBytes: number };
}

export type KeptPath = Pick<LayerMount, 'root' | 'path'>;

export type Wanted =
  | { kind: 'nothing' }
  | { kind: 'recipe'; recipe: Recipe }
  /** a sentence that ends with the remedy */
  | { kind: 'problem'; problem: string };

/**
 * The repository's own file wins, because it knows what its tools need; the operator's limits stay. `file`: null = the base
 * branch has none, or the operator does not want it.
 */
export function wantedOf(settings: SetupSettings, file: ReadSetupFile | null): Wanted {
  if (file?.kind === 'problem') return file;
  const { timeoutMs, memoryBytes, maxBytes } = settings;
  const own = file?.file;
  const from = own ?? settings;
  if (from.commands.length === 0) return { kind: 'nothing' };
  const keep = from.keep.map(keptPath);
  const problem = problemOf(keep);
  if (problem !== null) return { kind: 'problem', problem };
  return {
    kind: 'recipe',
    recipe: {
      source: own === undefined ? 'configuration' : 'repository',
      commands: from.commands,
      lockFiles: [...new Set(from.lockFiles)].sort(),
      keep,
      // guard: layers: a repository cannot raise limits
      limits: {
        timeoutMs: least(timeoutMs, own?.timeoutMs ?? null)!,
        memoryBytes: least(memoryBytes, own?.memoryBytes ?? null),
        maxBytes: least(maxBytes, own?.maxBytes ?? null)!,
      },
    },
  };
}

/** As the operator or the repository wrote it. */
function keptPath(text: string): KeptPath {
  return text.startsWith('~/') ? { root: 'home', path: text.slice(2) } : { root: 'checkout', path: text };
}

export function shownPath({ root, path }: KeptPath): string {
  return root === 'home' ? `~/${path}` : path;
}

function problemOf(keep: readonly KeptPath[]): string | null {
  if (keep.length === 0) return 'The set-up keeps nothing. Name at least one folder in its keep.';
  for (const [n, one] of keep.entries()) {
    // What is below such a path would be read by the CLI, git or a shell without being asked to.
    // guard: layers: no steering file is kept
    if (isSteering(one)) {
      return `The set-up may not keep ${shownPath(one)}: the CLI, git or a shell obeys what is there. Keep another folder.`;
    }
    const around = keep.find((other, m) => m !== n && isWithin(one, other));
    if (around !== undefined) {
      return `The set-up keeps ${shownPath(one)} and also ${shownPath(around)}, which has it. Keep one of them.`;
    }
  }
  return null;
}

/** HOME's folders that have steering files among others. */
const AROUND_STEERING = ['.config'];

function isSteering({ root, path }: KeptPath): boolean {
  return steers(root, path) || (root === 'home' && AROUND_STEERING.includes(path));
}

function isWithin(inner: KeptPath, outer: KeptPath): boolean {
  return inner.root === outer.root && (inner.path === outer.path || inner.path.startsWith(`${outer.path}/`));
}

function least(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}
