/**
 * Asks the forge for a test delivery and watches the running service's counters for
 * it: stored, refused with a code, or never come. There is no API to read a hook's history.
 */
import type { ForgeConfig } from '../config/config.ts';
import { isForgesAnswer } from '../errors.ts';
import type { ForgeHook } from '../forges/forge.ts';
import { kitOf } from '../forges/registry.ts';
import type { RepositoryRef } from '../vocabulary.ts';
import type { DoctorContext } from './context.ts';
import { signedFor } from './signed-for.ts';

export type Trial =
  /** `signer` as in `deliveries.signed_for`; undefined when the row cannot be seen */
  | { kind: 'arrived'; signer: string | null | undefined }
  /** `code` as in `claude_hooks_webhook_requests_total` */
  | { kind: 'refused'; code: string }
  | { kind: 'silent'; waitedMs: number }
  | { kind: 'not-sent'; why: string }
  /** the service does not run, or was not to be asked */
  | { kind: 'not-tried' };

/** Forges give up after 5 s; a delivery that is later than that does not come. */
const WAIT_MS = 6000;
const LOOK_EVERY_MS = 100;

export async function tryDelivery(
  context: DoctorContext,
  of: { forge: ForgeConfig; repository: RepositoryRef; hook: ForgeHook; agent: string },
): Promise<Trial> {
  const { hooks } = kitOf(of.forge.kind);
  if (!context.testDeliveries || !hooks.takesTest(new Set(of.hook.events))) return { kind: 'not-tried' };
  const before = await counters(context, of.forge);
  if (before === null) return { kind: 'not-tried' };
  const since = context.now();
  const problem = await askForTest(context, of);
  if (problem !== null) return { kind: 'not-sent', why: problem };
  const deadline = performance.now() + WAIT_MS;
  while (performance.now() < deadline) {
    const now = await counters(context, of.forge);
    const grown = [...(now ?? [])].find(([outcome, count]) => count > (before.get(outcome) ?? 0));
    if (grown !== undefined) {
      const [outcome] = grown;
      // guard: doctor’s test delivery
      return ACCEPTED.includes(outcome)
        ? { kind: 'arrived', signer: await signedFor(context, { ...of, since }) }
        : { kind: 'refused', code: outcome };
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return { kind: 'silent', waitedMs: WAIT_MS };
}

const ACCEPTED = ['accepted', 'repeated'];

async function askForTest(
  context: DoctorContext,
  {
    forge,
    agent,
    repository,
    hook,
  }: { forge: ForgeConfig; repository: RepositoryRef; hook: ForgeHook; agent: string },
): Promise<string | null> {
  try {
    await context.forge(forge, agent).sendTestDelivery(repository, hook.id);
    return null;
  } catch (error) {
    if (isForgesAnswer(error)) return error.message;
    throw error;
  }
}

const SERIES = /^claude_hooks_webhook_requests_total\{([^}]*)\} (\d+)/gm;

/** By outcome; null when no service answers there. */
async function counters(context: DoctorContext, forge: ForgeConfig): Promise<Map<string, number> | null> {
  if (context.service.healthUrl === null) return null;
  try {
    const answer = await fetch(`${context.service.healthUrl}/metrics`, { signal: AbortSignal.timeout(5000) });
    const text = await answer.text();
    if (!answer.ok || !text.includes('claude_hooks_')) return null;
    const found = new Map<string, number>();
    for (const [, labels, value] of text.matchAll(SERIES)) {
      if (label(labels!, 'forge') === forge.name) found.set(label(labels!, 'outcome'), Number(value));
    }
    return found;
  } catch {
    return null;
  }
}

function label(labels: string, name: string): string {
  return new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1] ?? '';
}
