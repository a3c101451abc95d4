/** What stands in the checkout's own `.git/config` because of us. The agent may change it; it is put right each time. */
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CheckoutSpec, RelayPaths } from './contract.ts';
import { isDamage } from './failure.ts';
import type { Git } from './git.ts';
import { identityLine } from './names.ts';
import { shellQuoted } from './relay-programs.ts';

/** null = the key must not be there */
export type Settings = readonly (readonly [key: string, value: string | null])[];

export function settingsOf(spec: Pick<CheckoutSpec, 'identity' | 'sign'>, relay: RelayPaths): Settings {
  const programs = `${relay.root}/programs`;
  return [
    ['user.name', identityLine(spec.identity.name, 'claude-hooks')],
    ['user.email', identityLine(spec.identity.email, 'claude-hooks@localhost')],
    ['remote.origin.url', relay.origin],
    ['remote.origin.pushurl', `${relay.root}/push.git`],
    ['remote.origin.uploadpack', shellQuoted(`${programs}/upload-pack`)],
    ['remote.origin.receivepack', shellQuoted(`${programs}/receive-pack`)],
    // A plain `git push` of a new branch has no upstream to go by.
    ['push.default', 'current'],
    // For an image without git-lfs; with one, its `filter.lfs.process` goes before these.
    ['filter.lfs.clean', shellQuoted(`${programs}/lfs-clean`)],
    ['filter.lfs.smudge', shellQuoted(`${programs}/lfs-smudge`)],
    // A program that fails must not let the content itself be committed.
    ['filter.lfs.required', 'true'],
    // git-lfs would end a checkout at the first content that is not here, and leave the file deleted.
    ['lfs.skipdownloaderrors', 'true'],
    ['gpg.format', spec.sign ? 'ssh' : null],
    ['gpg.ssh.program', spec.sign ? `${programs}/sign` : null],
    // The worker signs with its own key whatever stands here.
    ['user.signingkey', spec.sign ? `${programs}/signing-key.pub` : null],
    ['commit.gpgsign', spec.sign ? 'true' : null],
  ];
}

/**
 * One `git clone` writes them, instead of one `git config` each. Not those of the remote: the clone itself would obey
 * them.
 */
export function settingsForClone(settings: Settings): string[] {
  return settings.flatMap(([key, value]) =>
    value === null || key.startsWith('remote.') ? [] : ['--config', `${key}=${value}`],
  );
}

/** With a git that reads nothing but that file. False = it cannot. */
export async function configureCheckout(git: Git, checkout: string, settings: Settings): Promise<boolean> {
  const file = join(checkout, '.git', 'config');
  const config = ['config', '--file', file];
  await appendFile(file, '');
  try {
    const present = await read(git, config);
    for (const [key, value] of settings) {
      const values = present.get(key) ?? [];
      if (value === null) {
        if (values.length > 0) await git({ gitDir: null, args: [...config, '--unset-all', '--', key] });
      } else if (values.length !== 1 || values[0] !== value) {
        await git({ gitDir: null, args: [...config, '--replace-all', '--', key, value] });
      }
    }
    return true;
  } catch (error) {
    if (isDamage(error)) return false;
    throw error;
  }
}

async function read(git: Git, config: string[]): Promise<Map<string, string[]>> {
  const present = new Map<string, string[]>();
  const { stdout } = await git({ gitDir: null, args: [...config, '--list', '-z'] });
  for (const pair of stdout.split('\0')) {
    const end = pair.indexOf('\n');
    if (end < 0) continue;
    const key = pair.slice(0, end);
    present.set(key, [...(present.get(key) ?? []), pair.slice(end + 1)]);
  }
  return present;
}
