/** From facts to a cause and a verdict. Pure. */

import type { DiagnosisCause, DiagnosisVerdict } from '../inspection/diagnosis.ts';
import { chooseCopy } from './apply.ts';
import { type Copy, isUsable } from './copies.ts';
import type { FoundCopy } from './elsewhere.ts';
import type { SessionFacts } from './surroundings.ts';

/** The first cause that holds: what makes a lower one unreliable to see stands above it. */
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
  // Nothing makes an abandoned session current again; without a successor the record is what comes next.
  if (!facts.current && facts.session.replaced_by === null) return 'rebuild-needed';
  if (cause === 'refused-by-cli') return 'unknown';
  return byLadder(facts);
}

/** What the resume ladder would do, decided by the ladder's own rule. */
function byLadder(facts: SessionFacts): DiagnosisVerdict {
  const choice = chooseCopy({ ...copyInPlace(facts), archived: facts.archived, floor: 'resumed' });
  switch (choice.use) {
    case 'disk':
      return choice.continuity === 'resumed' ? 'resumable' : 'restorable';
    case 'archive':
      return 'restorable';
    case 'mended':
      return 'repairable';
    case 'none':
      if (facts.elsewhere.some((found) => isUsable(found.copy))) return 'restorable';
      return facts.session.head === null && facts.exchanges === 0 ? 'resumable' : 'rebuild-needed';
  }
}

/** The ladder first fetches a copy from the former folder, or from another project folder to an empty place. */
function copyInPlace(facts: SessionFacts): { disk: Copy; fetched: string | null } {
  const former = fetchable(facts);
  if (former !== undefined) return { disk: former.copy, fetched: 'other-home' };
  const stray = facts.strays[0];
  if (stray === undefined) return { disk: facts.disk, fetched: null };
  const disk = facts.disk.state === 'missing' ? stray.copy : facts.disk;
  return { disk, fetched: 'other-project-folder' };
}

/** `elsewhere` is only searched when the copy in its place cannot be used. */
export function fetchable({ elsewhere }: SessionFacts): FoundCopy | undefined {
  return elsewhere.find((found) => found.where === 'former-folder' && isUsable(found.copy));
}
