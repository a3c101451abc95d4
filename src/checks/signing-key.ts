/** The key that signs commits: there, readable, and the private half. */
import { readFile } from 'node:fs/promises';
import type { Check } from './check.ts';

export type KeyCheck = 'signing-key' | 'key-unreadable' | 'key-is-no-key';

/** `file`: null where no key is configured, and nothing is to be said. */
export async function checkSigningKey(file: string | null): Promise<Check<KeyCheck>[]> {
  if (file === null) return [];
  const subject = 'git.signing_key_file';
  const key = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => error);
  if (key instanceof Error) {
    return [
      {
        check: 'key-unreadable',
        severity: 'broken',
        fault: key.code === 'ENOENT' ? 'missing' : 'refused',
        subject,
        problem: 'the signing key cannot be read',
        evidence: `${file}: ${key.code ?? key.message}`,
        remedy: 'Let the file be owned by the user of the service, mode 0600, or correct the path.',
      },
    ];
  }
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(key)) {
    return [{ check: 'signing-key', severity: 'ok', subject, problem: '', evidence: 'readable', remedy: '' }];
  }
  return [
    {
      check: 'key-is-no-key',
      severity: 'broken',
      fault: 'refused',
      subject,
      problem: 'the file is no private key',
      evidence: `${file} does not hold a line “BEGIN … PRIVATE KEY”`,
      remedy: 'Name the private half of an SSH key; `ssh-keygen -t ed25519` makes one.',
    },
  ];
}
