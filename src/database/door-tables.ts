/** Rows about what containers have and ask for: the audit of every door, approved lock files, layers. */
import type { Generated } from 'kysely';

export type LayerState = 'building' | 'ready' | 'failed' | 'unwanted';

/** What set-up commands made, one row for each key and state folder. */
export interface LayersTable {
  /** the installation whose state folder has it */
  place: string;
  key: string;
  forge: string;
  repository_id: string;
  repository_name: string;
  engine: string;
  image: string | null;
  /** JSON Recipe */
  recipe: string;
  state: LayerState;
  /** id of the dispatch that built it last */
  made_by: string;
  created_at: number;
  ended_at: number | null;
  used_at: number | null;
  bytes: number;
  /** since it last succeeded */
  failures: number;
  /** not built again before this time; null = whenever it is needed */
  retry_at: number | null;
  reason: string | null;
  /** the last lines of its output */
  log_end: string | null;
}

/** Commits whose lock files count besides those of the base branch. */
export interface PackageApprovalsTable {
  id: string;
  forge: string;
  /** `owner/name` in lower case */
  repository: string;
  commit_sha: string;
  approved_by: string;
  because: string;
  at: number;
  withdrawn_at: number | null;
  withdrawn_by: string | null;
}

export interface AuditTable {
  seq: Generated<number>;
  at: number;
  dispatch_id: string | null;
  conversation_id: string | null;
  agent: string | null;
  door: 'model' | 'forge' | 'git' | 'trigger' | 'packages' | 'network' | 'terminal' | 'mcp';
  action: string;
  decision: 'allowed' | 'denied' | 'failed';
  reason: string | null;
  /** JSON */
  detail: string;
}
