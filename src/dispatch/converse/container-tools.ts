/** Tools of this package that a container may have, read-only: where they stand inside, and what the agent is told of them. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { AgentConfig } from '../../config/config.ts';
import { packageFolder } from '../../config/package-folder.ts';
import type { ContainerEngine, Mount } from '../../container/container.ts';

const INSIDE = '/run/claude-hooks/tools';
const FOLDER = join(packageFolder(), 'defaults/tools/design-review');
/** What the design review imports. */
const PACKAGES = ['playwright-core', 'pixelmatch', 'pngjs', 'axe-core'];

type Agent = Pick<AgentConfig, 'container'>;

/** Beside each other, and not one within another: a mount point below a read-only mount could not be made. */
export function toolMounts({ container }: Agent, { isolates }: Pick<ContainerEngine, 'isolates'>): Mount[] {
  if (!isolates || !container.tools.includes('design-review')) return [];
  const { resolve } = createRequire(import.meta.url);
  const shown = (source: string, at: string): Mount => ({
    source,
    target: `${INSIDE}/${at}`,
    access: 'read',
  });
  return [
    shown(join(FOLDER, 'run.sh'), 'design-review'),
    shown(process.execPath, 'node'),
    shown(FOLDER, 'review'),
    ...PACKAGES.map((name) => shown(dirname(resolve(`${name}/package.json`)), `node_modules/${name}`)),
  ];
}

/** Sentences about the checkout. */
export function toolNotes({ container }: Agent, { isolates }: Pick<ContainerEngine, 'isolates'>): string[] {
  if (!container.tools.includes('design-review')) return [];
  const command = isolates ? `${INSIDE}/design-review` : `node ${FOLDER}/main.mjs`;
  return [
    `\`${command} --help\` looks at built web pages in Chromium, without a network: shots at three sizes in both themes, compared with the base branch's, and what axe-core finds.`,
  ];
}
