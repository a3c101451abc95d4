/** What a run asks of the resume ladder. */
import type { SessionRow } from '../database/tables.ts';
import type { CliFolders } from './folders.ts';

/** The rung to begin at: lower than `resumed` after a rung was tried in this run and failed. */
export type Floor = 'resumed' | 'restored' | 'rebuilt' | 'digest';

/** What the choice of a rung depends on, besides what is there. */
export interface Asked {
  /** null: no dispatch, a person asks */
  dispatchId: string | null;
  /** `fresh`: the agent starts a new session for every dispatch, on purpose */
  policy: 'resume' | 'fresh';
  floor: Floor;
  /** why the floor is lower than `resumed`; null when it is not */
  floorReason: string | null;
}

export interface LadderRequest extends Asked {
  conversationId: string;
  dispatchId: string;
  folders: CliFolders;
  cwd: string;
  model: string;
  cliVersion: string;
  /** false: the archive is neither read nor written */
  archive: boolean;
  now: number;
}

/** Whether the conversation's newest session is to be gone on with, if its files allow it. */
export function isTried(session: SessionRow | null, asked: Asked): session is SessionRow {
  if (session === null || (session.state !== 'proposed' && session.state !== 'verified')) return false;
  if (asked.floor === 'rebuilt' || asked.floor === 'digest') return false;
  // With `fresh`, too, a run that was cut off goes on in its session. Only a finished one is left behind.
  return asked.policy === 'resume' || (asked.floor === 'resumed' && session.state === 'proposed');
}
