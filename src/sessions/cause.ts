/** Why a session is not simply resumed, and what the next dispatch can do with it: words for a person. Pure. */
import { isUsable } from './copies.ts';
import type { SessionFacts } from './surroundings.ts';

/**
 * What the next dispatch can do with this session:
 * - `resumable`: it goes on under this id and nothing is lost (also when nothing was ever answered)
 * - `restorable`: a whole copy stands in the archive or in another folder
 * - `repairable`: the only copy has lines that do not parse, but holds the verified head
 * - `rebuild-needed`: no copy is left; a new session is made from our own record
 * - `unknown`: cannot be told before the cause is removed
 */
export type DiagnosisVerdict = 'resumable' | 'restorable' | 'repairable' | 'rebuild-needed' | 'unknown';

export type DiagnosisCause =
  | 'none'
  /** the id asked for is no session of ours, or not in the form the CLI finds */
  | 'wrong-id'
  /** a conversation that has had no session yet */
  | 'no-session'
  /** no transcript, and none was ever seen */
  | 'never-written'
  /** an answer came, and its transcript did not hold it */
  | 'turn-not-written'
  | 'other-project-folder'
  /** the CLI folder of another conversation of this installation */
  | 'other-config-folder'
  /** outside of the state folder, or below one that is no longer used */
  | 'other-home'
  /** the file is another session's */
  | 'foreign-transcript'
  /** gone, and the CLI's own cleanup ran after the last verification */
  | 'cleaned-up'
  /** the whole CLI folder is gone: a volume that was not mounted, or was made anew */
  | 'folder-gone'
  | 'missing'
  | 'empty'
  | 'garbage'
  /** shorter than verified, and without the verified head */
  | 'truncated'
  /** long enough, but without the verified head */
  | 'other-history'
  /** holds the head, and lines that do not parse */
  | 'damaged'
  | 'behind-archive'
  | 'unreadable'
  | 'not-writable'
  | 'read-only'
  /** not accessible, and owned by another user */
  | 'other-owner'
  | 'config-broken'
  /** the files are in order, and the CLI did not load them */
  | 'refused-by-cli'
  /** in order, but the conversation has left this session */
  | 'no-longer-current';

/** The first cause that holds. A cause that could hide others comes before them. */
export function causeOf(facts: SessionFacts): DiagnosisCause {
  if (!facts.wellFormed) return 'wrong-id';
  return accessCause(facts) ?? absenceCause(facts) ?? contentCause(facts) ?? circumstance(facts);
}

const DENIED = new Set(['EACCES', 'EPERM']);

function accessCause({ access }: SessionFacts): DiagnosisCause | null {
  if (access.writeError === 'EROFS') return 'read-only';
  const denied = [access.readError, access.writeError].some((code) => code !== null && DENIED.has(code));
  if (denied && access.ownerUid !== null && access.ownerUid !== access.ourUid) return 'other-owner';
  if (access.readError !== null) return 'unreadable';
  return access.writeError === null ? null : 'not-writable';
}

function absenceCause(facts: SessionFacts): DiagnosisCause | null {
  const { session } = facts;
  if (facts.disk.state !== 'missing') return null;
  if (facts.strays.length > 0) return 'other-project-folder';
  const found = facts.elsewhere[0];
  if (found !== undefined) return found.where === 'config-folder' ? 'other-config-folder' : 'other-home';
  if (session.head === null && facts.archive === 'missing') return 'never-written';
  if (facts.cleanupAt !== null && facts.cleanupAt > (session.verified_at ?? session.created_at)) {
    return 'cleaned-up';
  }
  return facts.folderExists ? 'missing' : 'folder-gone';
}

function contentCause(facts: SessionFacts): DiagnosisCause | null {
  const { disk, session } = facts;
  switch (disk.state) {
    case 'empty':
    case 'garbage':
      return disk.state;
    case 'head-missing':
      // A beginning of the archived file was cut, whatever size was verified last.
      if (facts.archive === 'ahead') return 'truncated';
      if (facts.foreignIds.length > 0) return 'foreign-transcript';
      return disk.bytes!.length < session.size ? 'truncated' : 'other-history';
    case 'damaged':
      return 'damaged';
    default:
      return null;
  }
}

/** The transcript itself is in order. */
function circumstance(facts: SessionFacts): DiagnosisCause {
  const { session } = facts;
  if (facts.strays.length > 0) return 'other-project-folder';
  if (facts.archive === 'ahead') return 'behind-archive';
  if (facts.configBroken) return 'config-broken';
  if (session.reason === UNVERIFIED && session.state === 'abandoned') return 'turn-not-written';
  if (!facts.current) return 'no-longer-current';
  return session.failed_resumes > 0 ? 'refused-by-cli' : 'none';
}

/** The reason a session is abandoned with when its last answer was not found on the disk. */
const UNVERIFIED = 'transcript-not-written';

export function verdictOf(facts: SessionFacts, cause: DiagnosisCause): DiagnosisVerdict {
  if (cause === 'wrong-id') return 'rebuild-needed';
  if (accessCause(facts) !== null) return isUsable(facts.archived) ? 'restorable' : 'unknown';
  if (cause === 'refused-by-cli') return 'unknown';
  return byChoice(facts);
}

/** What the next dispatch would do, by the choice that it would make itself. */
function byChoice({ choice, elsewhere }: SessionFacts): DiagnosisVerdict {
  switch (choice.step) {
    case 'go-on':
      return VERDICTS[choice.rung];
    case 'start-again':
      return 'resumable';
    case 'start-fresh':
      return 'rebuild-needed';
    case 'rebuild': {
      // A person can put a copy back from elsewhere, as long as the conversation has not left the session.
      const isFound = choice.place !== null && elsewhere.some((found) => isUsable(found.copy));
      return isFound ? 'restorable' : 'rebuild-needed';
    }
  }
}

const VERDICTS = { resumed: 'resumable', restored: 'restorable', repaired: 'repairable' } as const;
