/**
 * What a failed git command means for us. Git gives one exit code for everything, so its words (LC_ALL=C) are all
 * there is to go by; this is the only place that reads them.
 */
import { GitFailed } from '../errors.ts';

export type FailureKind =
  /** the remote could not be reached */
  | 'unreachable'
  /** the credential was not accepted */
  | 'denied'
  /** no such repository, or the credential may not see it */
  | 'missing'
  /** the other side understood the request and refused it */
  | 'refused'
  /** a fault of this machine: disk, memory, permissions, or git is not installed */
  | 'machine'
  /** git answered more than fits into memory */
  | 'too-long'
  /** none of the others fits, so a repository on our side is broken */
  | 'damaged';

const MACHINE =
  /No space left on device|Disk quota exceeded|Permission denied|Read-only file system|Cannot allocate memory|out of memory|Too many open files|unable to create thread|Resource temporarily unavailable|File name too long|dubious ownership|spawn .* E[A-Z]+/i;
const DENIED =
  /requested URL returned error: 40[13]\b|Authentication failed|could not read (Username|Password)|terminal prompts disabled/;
const MISSING =
  /requested URL returned error: 404\b|repository '.*' not found|does not appear to be a git repository|repository '.*' does not exist|is this a git repository\?/;
const REFUSED =
  /couldn't find remote ref|remote error:|not our ref|fsck error|\bremote rejected\b|requested URL returned error: (3\d\d|4\d\d)|redirect|transport '.*' not allowed/i;
const UNREACHABLE =
  /Could(n't| not) resolve|Failed to connect|Connection (refused|timed out|reset)|Couldn't connect|Operation (timed out|too slow)|Network is unreachable|No route to host|early EOF|requested URL returned error: (5\d\d|408|429)|RPC failed|hung up unexpectedly|unexpected disconnect|Empty reply|Recv failure|Send failure|SSL_|GnuTLS|gnutls_|certificate|Proxy CONNECT|Transferred a partial file|HTTP\/2 stream|unable to access '/i;

const REMEDY: Record<FailureKind, string> = {
  unreachable: 'Check that the forge is up and reachable from this machine; the dispatch can be repeated',
  denied:
    "Check that the agent account's token is valid and may read and write code, and that the account may use this repository",
  missing:
    'Check the clone URL, and that the agent account may see the repository (a forge says "not found" of one that the account may not see)',
  refused: "Read the remote's words above; if the clone URL redirects, use the address it redirects to",
  machine: 'Free the resource that git names on this machine, or correct its permissions',
  'too-long':
    'The repository has more files or commits than this service can read at once: let agents work in a smaller one',
  damaged:
    'Repeat the dispatch; if it fails again, run git fsck in the folder named above and delete what is broken: mirrors are cloned anew',
};

export class GitCommandFailed extends GitFailed {
  readonly kind: FailureKind;
  constructor(what: string, kind: FailureKind, detail: { exitCode: number | null; stderr: string }) {
    const words = detail.stderr.trim().split('\n').slice(-4).join(' | ').slice(0, 600);
    super(`${what}: ${words === '' ? 'git said nothing' : words}. ${REMEDY[kind]}.`, {
      ...detail,
      transient: kind === 'unreachable',
    });
    this.kind = kind;
  }
}

/**
 * `remote` = the command spoke to the forge. In a local command, words such as "early EOF" mean a broken pack and not a
 * network fault.
 */
export function failureKind(said: string, remote: boolean): FailureKind {
  // Hooks of the other side may print any words; their output arrives with this prefix.
  const stderr = said.replace(/^remote:(?! fatal).*$/gm, '');
  if (MACHINE.test(stderr)) return 'machine';
  // The repository on the forge was empty when ours was made, so its object format was not known.
  if (remote && /mismatched algorithms/.test(stderr)) return 'damaged';
  if (REFUSED.test(stderr) && !/requested URL returned error: (401|403|404|408|429)/.test(stderr)) {
    return 'refused';
  }
  if (!remote) return 'damaged';
  if (DENIED.test(stderr)) return 'denied';
  if (MISSING.test(stderr)) return 'missing';
  return UNREACHABLE.test(stderr) ? 'unreachable' : 'damaged';
}

export function isDamage(error: unknown): boolean {
  return error instanceof GitCommandFailed && error.kind === 'damaged';
}
