/** Which cases are run, and how a case is named. The name alone is enough to run it again. */
import { describe, inject, onTestFailed, test } from 'vitest';
import type { DialectName } from '../../src/database/dialect.ts';
import { FAULT_POINTS, type FaultPoint } from '../../src/faults.ts';
import { type Need, needs, titleOf } from '../support/requirements.ts';
import type { Injector } from './injector.ts';
import { SEED } from './story.ts';

/** Kills a whole service there, in one story; only with FAULTS=all or by name. */
const BESIDE = 'test/faults/beside-kill.test.ts';

/** Points that a usual dispatch does not pass, and the tests that pass them; the first is in the usual run. */
export const ELSEWHERE: Partial<Record<FaultPoint, readonly [usual: string, ...more: string[]]>> = {
  // Only a large body comes in pieces.
  'webhook.pieces': ['src/inbox/pieces.test.ts'],
  // Where deliveries were missed.
  'reconcile.found': ['src/reconciler.test.ts'],
  'reconcile.written': ['src/reconciler.test.ts'],
  'reconcile.committed': ['test/missed.test.ts'],
  'reconcile.marked': ['src/reconciler.test.ts'],
  // Only an engine that isolates runs set-up commands.
  'setup.begun': ['src/layers/killed.test.ts'],
  'setup.ran': ['src/layers/killed.test.ts'],
  'layer.unpacked': ['src/layers/killed.test.ts'],
  'layer.written': ['src/layers/killed.test.ts'],
  'layer.committed': ['src/layers/killed.test.ts'],
  // Where a budget is set, and where a conversation runs in a circle. In the usual run an error stands for the kill.
  'budget.reserved': ['src/budgets/budgets.test.ts', BESIDE],
  'budget.held': ['src/budgets/budgets.test.ts', BESIDE],
  'budget.settled': ['src/budgets/budgets.test.ts', BESIDE],
  'court.held': ['test/court/court.test.ts', BESIDE],
};

/** Passed more than once in one dispatch. Push and comment come in each, the pull request in the first alone. */
const PASSES: Partial<Record<FaultPoint, readonly [first: number, later: number]>> = {
  'archive.claimed': [2, 2],
  'archive.appended': [2, 2],
  'run.answering': [2, 2],
  'effect.planned': [3, 2],
  'effect.performed': [3, 2],
  'effect.recorded': [3, 2],
};

export type Which = 'first' | 'later';

export interface Kill {
  point: FaultPoint;
  /** CLAUDE_HOOKS_FAULT */
  spec: string;
}

/** Every point, as often as a dispatch of that kind passes it. */
export function kills(which: Which): Kill[] {
  return FAULT_POINTS.flatMap((point) => {
    const passes = point in ELSEWHERE ? 0 : (PASSES[point]?.[which === 'first' ? 0 : 1] ?? 1);
    return Array.from({ length: passes }, (_, i) => ({ point, spec: `kill@${point}#${i + 1}` }));
  });
}

/**
 * Every point once in each run of the suite: one in the first dispatch on SQLite, the next in a later one on PostgreSQL,
 * and so on in turn. All four forms take four times as long.
 */
export function isUsual(dialect: DialectName, which: Which, { point }: Kill): boolean {
  // A dead process keeps its claim on a notice for 45 s on PostgreSQL.
  if (point.startsWith('notice.')) return dialect === 'sqlite' && which === 'first';
  const isInFirst = FAULT_POINTS.indexOf(point as (typeof FAULT_POINTS)[number]) % 2 === 1;
  return isInFirst ? dialect === 'sqlite' && which === 'first' : dialect === 'postgres' && which === 'later';
}

const { FAULT, FAULTS } = process.env;

/** Without FAULT, `usual` ones; with FAULTS=all, all; with FAULT, that one alone. */
export function isRun(id: string, usual: boolean): boolean {
  return FAULT === undefined ? usual || FAULTS === 'all' : FAULT === id;
}

/** Printed when the case fails, with everything that helps to understand it. */
export function tellHowToReplay(id: string, { stage }: Injector): void {
  onTestFailed(() => {
    const asked = stage.turns.map((r) => `${r.scene}/${r.step} ${JSON.stringify(r.prompt.slice(0, 100))}`);
    console.error(
      [
        `The service said:\n${stage.logged.join('')}`,
        `The model was asked:\n${asked.join('\n')}`,
        `Run it again:\n  FAULT='${id}' SEED=${SEED} npx vitest run test/faults`,
      ].join('\n'),
    );
  });
}

/** The cases of one file, skipped as a whole where they cannot run, or where FAULT names another file's case. */
export function describeCases(dialect: DialectName, cases: unknown[], suite: () => void): void {
  const here = mayRun(dialect);
  const title = here.title(`faults on ${dialect}`);
  if (cases.length === 0) test.skip(`${title}: none of the cases asked for`, () => {});
  else describe.skipIf(!here.ok)(title, suite);
}

function mayRun(dialect: DialectName): Need {
  const tools = needs('cli', 'git', 'flock', 'proc');
  const postgres = inject('postgres');
  if (!tools.ok || dialect === 'sqlite' || !('missing' in postgres)) return tools;
  return { ok: false, reason: postgres.missing, title: (suite) => titleOf(suite, postgres.missing) };
}
