/** What an error before or after a run means for its dispatch: it passes, it does not, or nobody knows. Pure. */
import { ForgeMissing, ForgeRefused, ForgeUnavailable, GitFailed } from '../../errors.ts';
import { GitCommandFailed } from '../../workdir/failure.ts';

export type Trouble =
  /** somebody else is away, or this machine is short of something: waits for as long as it takes */
  | 'passes'
  /** asked again it would be the same: people are told at once */
  | 'stays'
  /** our own fault, or a broken repository on our side: a few times more */
  | 'unknown';

/** A server with a wrong certificate is there; waiting changes nothing. */
const CERTIFICATE = /certificate|altnames|self.signed/i;
const SHORT_OF = new Set(['ENOSPC', 'EDQUOT', 'ENOMEM', 'EMFILE', 'ENFILE', 'EAGAIN']);

export function troubleOf(error: unknown): Trouble {
  if (error instanceof ForgeMissing || error instanceof ForgeRefused) return 'stays';
  if (error instanceof ForgeUnavailable) {
    // guard: a wrong certificate is no outage
    return CERTIFICATE.test(error.message) ? 'stays' : 'passes';
  }
  if (error instanceof GitCommandFailed) return ofGit(error);
  if (error instanceof GitFailed) return error.transient ? 'passes' : 'unknown';
  return SHORT_OF.has((error as NodeJS.ErrnoException)?.code ?? '') ? 'passes' : 'unknown';
}

function ofGit({ kind, stderr }: GitCommandFailed): Trouble {
  switch (kind) {
    case 'unreachable':
      return CERTIFICATE.test(stderr) ? 'stays' : 'passes';
    case 'machine':
      return 'passes';
    case 'denied':
    case 'missing':
    case 'refused':
    case 'too-long':
      return 'stays';
    case 'damaged':
      return 'unknown';
  }
}
