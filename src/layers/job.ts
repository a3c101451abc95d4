/** What one dispatch wants to have set up: its recipe, the key of its layer, and where things stand inside. */
import { basename, posix } from 'node:path';
import type { ReadSetupFile } from '../config/setup-file.ts';
import { insideOf } from '../container/place.ts';
import type { BaseFile } from '../workdir/port.ts';
import { layerKey } from './key.ts';
import type { LayerRequest } from './port.ts';
import { type KeptPath, type Recipe, wantedOf } from './recipe.ts';

export interface Job {
  key: string;
  recipe: Recipe;
  checkoutName: string;
  /** a kept path as the agent has it */
  targetOf(kept: KeptPath): string;
  /** folders, as the agent sees them, that links may lead into */
  within: readonly string[];
}

interface Facts {
  /** of the base branch; null = it has none, or it does not count */
  file: { blob: string; read: ReadSetupFile } | null;
  engine: string;
  system(): Promise<string>;
  blobs(paths: readonly string[]): Promise<ReadonlyMap<string, BaseFile>>;
  /** those of these paths of the checkout that git tracks, at the base or in the checkout */
  tracked(paths: readonly string[]): Promise<string[]>;
}

export type Asked = { kind: 'nothing' } | { kind: 'problem'; problem: string } | { kind: 'job'; job: Job };

export async function jobOf(r: LayerRequest, facts: Facts): Promise<Asked> {
  const wanted = wantedOf(r.settings.setup, facts.file?.read ?? null);
  if (wanted.kind !== 'recipe') return wanted;
  const { recipe } = wanted;
  const tracked = await facts.tracked(
    recipe.keep.filter(({ root }) => root === 'checkout').map(({ path }) => path),
  );
  // guard: layers: no tracked path is kept
  if (tracked.length > 0) {
    return {
      kind: 'problem',
      problem: `The set-up may not keep ${tracked.join(', ')}: git tracks what is there, and it would be hidden. Keep another folder, or remove it from the repository.`,
    };
  }
  const locks = await facts.blobs(recipe.lockFiles);
  const checkoutName = basename(r.checkout.path);
  const inside = insideOf(checkoutName);
  const targetOf = ({ root, path }: KeptPath) => posix.join(inside[root], path);
  return {
    kind: 'job',
    job: {
      key: layerKey({
        repository: r.repository,
        checkoutName,
        engine: facts.engine,
        system: await facts.system(),
        user: r.settings.user,
        recipe,
        locks: new Map([...locks].map(([path, { blob }]) => [path, blob])),
        setupFile: recipe.source === 'repository' ? facts.file!.blob : null,
      }),
      recipe,
      checkoutName,
      targetOf,
      within: [inside.checkout, ...recipe.keep.filter(({ root }) => root === 'home').map(targetOf)],
    },
  };
}
