/**
 * Asks the forge for a test delivery (it is a push that changes nothing) and watches the running service's counters for
 * it: stored, refused with a code, or never come. There is no API to read a hook's history.
 */
import type { ForgeConfig } from '../config/config.ts';
import type { ForgeHook } from '../forges/forge.ts';
import type { RepositoryRef } from '../vocabulary.ts';
import type { DoctorContext } from './contract.ts';
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
  // Before Forgejo 15 a hook without push is not sent the test, which looks like silence.
  if (!context.testDeliveries || !of.hook.events.includes('push')) return { kind: 'not-tried' };
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
  { network }: DoctorContext,
  of: { forge: ForgeConfig; repository: RepositoryRef; hook: ForgeHook; agent: string },
): Promise<string | null> {
  const path = `/repos/${of.repository.fullName}/hooks/${of.hook.id}/tests`;
  try {
    const answer = await network.fetch(`${of.forge.url}/api/v1${path}`, {
      method: 'POST',
      redirect: 'manual',
      headers: { authorization: `token ${of.forge.accounts[of.agent]!.token}` },
      signal: AbortSignal.timeout(10_000),
    });
    return answer.ok ? null : `POST ${path} answered ${answer.status}`;
  } catch (error) {
    return `POST ${path} got no answer: ${String((error as Error).cause ?? error)}`;
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
