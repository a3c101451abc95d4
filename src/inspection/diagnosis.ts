/** What `diagnoseSession` answers. */

import type { MarksView } from '../views/marks.ts';
import type { SessionState } from '../vocabulary.ts';

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

export type ArchiveState =
  | 'missing'
  /** a beginning of what is on the disk */
  | 'behind'
  | 'equal'
  /** goes on where the disk ends, or the disk has nothing */
  | 'ahead'
  | 'diverged';

export interface Check {
  name: string;
  ok: boolean;
  detail: string;
}

export interface Diagnosis {
  /** null when the id names no session of ours */
  session: DiagnosedSession | null;
  verdict: DiagnosisVerdict;
  cause: DiagnosisCause;
  /** sentences: every check that failed, then what the rows say */
  evidence: string[];
  remedy: string;
  archive: ArchiveState | null;
  checks: Check[];
}

/** Times RFC 3339 in UTC. */
export interface DiagnosedSession {
  id: string;
  conversation: string;
  ordinal: number;
  state: SessionState;
  reason: string | null;
  replacedBy: string | null;
  head: string | null;
  /** bytes when it was verified */
  size: number;
  cliVersion: string | null;
  /** where the CLI looks for it, absolute */
  transcript: string;
  createdAt: string;
  verifiedAt: string | null;
  /** whose words it has read of those who may not wake agents */
  marks: MarksView;
}
