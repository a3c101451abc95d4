/** What the smoke checks answer with: each check as a line, under the name that cron jobs and counters know. Pure. */
import { type Check, isWell } from './check.ts';
import type { CloneCheck } from './clones.ts';
import type { DispatchCheck } from './dispatches.ts';
import type { DoorCheck } from './doors.ts';
import type { IdentityCheck } from './identity.ts';
import type { PortCheck } from './port.ts';
import type { ProbeCheck } from './probe/probe-check.ts';
import type { ReadsCheck } from './reads.ts';
import type { KeyCheck } from './signing-key.ts';

type OneOfSmoke =
  | 'configuration'
  | 'git'
  | 'run'
  | 'engine-missing'
  | 'model-credential'
  | 'webhook-secret'
  | 'forge-reads'
  | IdentityCheck
  | Exclude<ReadsCheck, 'not-offered'>
  | CloneCheck
  | PortCheck
  | DispatchCheck
  | DoorCheck
  | KeyCheck
  | ProbeCheck;

/** Smoke's name of a line, for checks that have another name in the doctor's report. */
const LINES = {
  'token-of-another-account': 'forge-token',
  'token-refused': 'forge-token',
  'token-without-name': 'forge-token',
  'forge-unreachable': 'forge-token',
  'read-refused': 'forge-reads',
  'ci-hidden': 'forge-reads',
  'clone-failed': 'git-clone',
  'branch-name-taken': 'branch-name',
  'dispatches-wait': 'dispatches',
  'dispatches-failed': 'dispatches',
  'port-busy': 'port',
  'key-unreadable': 'signing-key',
  'key-is-no-key': 'signing-key',
  'engine-missing': 'engine',
} as const satisfies Partial<Record<OneOfSmoke, string>>;

type Renamed = typeof LINES;
export type SmokeCheckName = Exclude<OneOfSmoke, keyof Renamed> | Renamed[keyof Renamed];
export type SmokeState = 'ok' | 'missing' | 'refused' | 'failed' | 'skipped';

export interface SmokeLine {
  /** null: of the whole installation */
  agent: string | null;
  check: SmokeCheckName;
  state: SmokeState;
  /** what was seen, on one line, never a secret; a failed layout begins with its reason code */
  detail: string;
  /** a whole sentence; '' where nothing is to be done */
  remedy: string;
}

/** `where`: what the line says of its subject beside the agent, as `home` or `home, ada/greeter`. */
export function lineOf(
  check: Check<OneOfSmoke>,
  { agent = null, where = null }: { agent?: string | null; where?: string | null } = {},
): SmokeLine {
  const detail = [where, check.problem, check.evidence].filter((part) => part !== null && part !== '');
  return {
    agent,
    check: isRenamed(check.check) ? LINES[check.check] : check.check,
    state: stateOf(check),
    detail: detail.join(': '),
    remedy: check.remedy,
  };
}

function isRenamed(name: OneOfSmoke): name is keyof Renamed {
  return Object.hasOwn(LINES, name);
}

function stateOf(check: Check): SmokeState {
  if (!isWell(check)) return check.fault ?? 'failed';
  return check.severity === 'ok' ? 'ok' : 'skipped';
}

export interface SmokeReport {
  checks: SmokeLine[];
  /** nothing is missing, refused or failed */
  ok: boolean;
  /** `bubblewrap`, and so on; null when none could be started */
  engine: string | null;
}

export function isGood({ state }: Pick<SmokeLine, 'state'>): boolean {
  return state === 'ok' || state === 'skipped';
}

export function reportOf(checks: SmokeLine[], engine: string | null): SmokeReport {
  return { checks, ok: checks.every(isGood), engine };
}
