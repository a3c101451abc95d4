/**
 * What we write into the checkout's own `.git/config`. The agent may change it; each `prepare` corrects it.
 */
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDamage } from './failure.ts';
import type { Git } from './git.ts';
import { identityLine } from './names.ts';
import type { CheckoutSpec, RelayPaths } from './port.ts';
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
    // Without this, a plain `git push` of a new branch fails, because it has no upstream.
    ['push.default', 'current'],
    // For an image without git-lfs; where it is installed, `filter.lfs.process` is used instead.
    ['filter.lfs.clean', shellQuoted(`${programs}/lfs-clean`)],
    ['filter.lfs.smudge', shellQuoted(`${programs}/lfs-smudge`)],
    // When the filter fails, git must not commit the content itself.
    ['filter.lfs.required', 'true'],
    // Without this, git-lfs stops a checkout at the first content that is missing, and leaves the file deleted.
    ['lfs.skipdownloaderrors', 'true'],
    ['gpg.format', spec.sign ? 'ssh' : null],
    ['gpg.ssh.program', spec.sign ? `${programs}/sign` : null],
    // The worker signs with its own key, whatever is written here.
    ['user.signingkey', spec.sign ? `${programs}/signing-key.pub` : null],
    ['commit.gpgsign', spec.sign ? 'true' : null],
  ];
}

/**
 * Passed to one `git clone`, instead of one `git config` each. Settings of the remote are left out, because the clone
 * itself would obey them.
 */
export function settingsForClone(settings: Settings): string[] {
  return settings.flatMap(([key, value]) =>
    value === null || key.startsWith('remote.') ? [] : ['--config', `${key}=${value}`],
  );
}

/** Uses a git that reads nothing but that file. False = it cannot read it. */
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
