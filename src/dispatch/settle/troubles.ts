/** What an error before or after a run means for its dispatch: it passes, it does not, or nobody knows. Pure. */
import { ForgeMissing, ForgeRefused, ForgeUnavailable, GitFailed, ToolsUnavailable } from '../../errors.ts';
import { GitCommandFailed } from '../../workdir/failure.ts';

export type Trouble =
  /** the forge, the model or the network is away, or this machine lacks memory, files or disk: waits without end */
  | 'passes'
  /** trying again would give the same result: people are told at once */
  | 'stays'
  /** an unknown error of ours, or a damaged mirror: tried a few times */
  | 'unknown';

/** A wrong certificate is no outage: waiting does not change it. */
const CERTIFICATE = /certificate|altnames|self.signed/i;
const SHORT_OF = new Set(['ENOSPC', 'EDQUOT', 'ENOMEM', 'EMFILE', 'ENFILE', 'EAGAIN']);

export function troubleOf(error: unknown): Trouble {
  if (error instanceof ForgeMissing || error instanceof ForgeRefused) return 'stays';
  if (error instanceof ForgeUnavailable) {
    // guard: a wrong certificate is no outage
    return CERTIFICATE.test(error.message) ? 'stays' : 'passes';
  }
  // An agent without its tools would report nonsense: people are told.
  if (error instanceof ToolsUnavailable) return error.transient ? 'unknown' : 'stays';
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
