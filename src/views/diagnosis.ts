/** What `diagnoseSession` answers. */
import type { DiagnosisCause, DiagnosisVerdict } from '../sessions/cause.ts';
import type { ArchiveState } from '../sessions/surroundings.ts';
import type { SessionState } from '../vocabulary.ts';
import type { MarksView } from './marks.ts';

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
