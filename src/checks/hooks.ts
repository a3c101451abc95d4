/** The hooks of each repository: there, active, pointing here, sending what the flows need, and really arriving. */
import type { ForgeConfig } from '../config/config.ts';
import { secretPathOf } from '../config/listed-repositories.ts';
import type { ForgeHook } from '../forges/forge.ts';
import { kitOf } from '../forges/registry.ts';
import type { RepositoryRef } from '../vocabulary.ts';
import { reachOf } from './addresses.ts';
import type { Check } from './check.ts';
import type { DoctorContext, Visible } from './context.ts';
import { missingEvents, partialEvents } from './hook-events.ts';
import { hooksOf, visibleSites } from './repositories.ts';
import { judgeSigner } from './signed-for.ts';
import { type Trial, tryDelivery } from './test-delivery.ts';

export async function checkHooks(context: DoctorContext): Promise<Check[]> {
  const findings: Check[] = [];
  for (const forge of Object.values(context.config.forges)) {
    // It is looked at, and needs no hook.
    if (forge.intake === 'poll') continue;
    // checkSites tells of repositories that no account sees.
    for (const visible of await visibleSites(context, forge)) {
      findings.push(...(await checkRepository(context, forge, visible)));
    }
  }
  return findings;
}

async function checkRepository(
  context: DoctorContext,
  forge: ForgeConfig,
  { repository }: Visible,
): Promise<Check[]> {
  const subject = `forge ${forge.name}, ${repository.fullName}`;
  const listed = await hooksOf(context, forge, repository);
  const recent = await arrivedRecently(context, forge);
  if ('problem' in listed) return [unreadable(subject, listed.problem)];
  const ours = listed.hooks.filter((h) => isOurs(h, forge, context));
  if (ours.length === 0) return await notListed(context, { forge, repository, hooks: listed.hooks, recent });
  const findings: Check[] = [];
  for (const hook of ours) {
    const about = { subject: `${subject}, hook ${hook.id}`, hook, forge, repository };
    const flaws = judgeHook(about, context);
    findings.push(...flaws);
    if (flaws.some((f) => f.severity === 'broken')) continue;
    const trial = await tryDelivery(context, { forge, repository, hook, agent: listed.agent });
    findings.push(...(await judgeArrival(about, trial, recent)));
  }
  return findings;
}

interface About {
  subject: string;
  hook: ForgeHook;
  forge: ForgeConfig;
  repository: RepositoryRef;
}

const WEEK_MS = 7 * 24 * 3600_000;

/** Proof that this forge may call us: something it signed has come, whichever repository it was about. */
async function arrivedRecently(context: DoctorContext, forge: ForgeConfig): Promise<boolean> {
  const row = await context.rows
    ?.selectFrom('deliveries')
    .select('id')
    .where('forge', '=', forge.name)
    .where('source', '=', 'webhook')
    .where('received_at', '>', context.now() - WEEK_MS)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

function isOurs(hook: ForgeHook, forge: ForgeConfig, { config }: DoctorContext): boolean {
  if (!URL.canParse(hook.url)) return false;
  const url = new URL(hook.url);
  const here = config.server.publicUrl === null ? null : new URL(config.server.publicUrl).host;
  return url.pathname.endsWith(`/webhooks/${forge.name}`) || url.host === here;
}

function unreadable(subject: string, problem: string): Check {
  return {
    check: 'hooks-unreadable',
    severity: 'note',
    subject,
    problem: 'none of our accounts may see the hooks of this repository, so they were not checked',
    evidence: problem,
    remedy:
      'Look at the hook in the settings of the repository yourself, or give one agent’s account administrator rights there.',
  };
}

interface Unlisted {
  forge: ForgeConfig;
  repository: RepositoryRef;
  hooks: ForgeHook[];
  recent: boolean;
}

/** A repository's list has neither the hooks of its owner nor those of the installation. */
async function notListed(context: DoctorContext, o: Unlisted): Promise<Check[]> {
  const { forge, repository, hooks, recent } = o;
  const subject = `forge ${forge.name}, ${repository.fullName}`;
  const owner = repository.fullName.split('/')[0]!;
  const ofOwner = await ownerHooks(context, forge, repository);
  if (ofOwner !== null) {
    const ours = ofOwner.filter((hook) => isOurs(hook, forge, context));
    const about = (hook: ForgeHook) => ({
      subject: `forge ${forge.name}, ${owner}, hook ${hook.id}`,
      hook,
      forge,
    });
    if (ours.length > 0) return ours.flatMap((hook) => judgeHook(about(hook), context));
  }
  const evidence = `${hooks.length} hooks are listed, none ends with /webhooks/${forge.name}`;
  const arrived = recent ? '; deliveries of this forge arrived within a week' : '';
  if (ofOwner === null || recent) {
    return [
      {
        check: 'hook-not-seen',
        severity: recent ? 'note' : 'risk',
        subject,
        problem: `the repository itself has no hook to this service, and our accounts cannot see whether ${owner} or the installation has one`,
        evidence: `${evidence}${arrived}`,
        remedy: `Look there, and if neither has one: ${adding(context, forge, repository)}`,
      },
    ];
  }
  const problem = `no hook of this repository or of ${owner} points to this service`;
  return [
    {
      check: 'hook-missing',
      severity: 'broken',
      subject,
      problem,
      evidence,
      remedy: adding(context, forge, repository),
    },
  ];
}

/** null: none of our accounts may see them. */
async function ownerHooks(
  context: DoctorContext,
  forge: ForgeConfig,
  repository: RepositoryRef,
): Promise<ForgeHook[] | null> {
  for (const agent of Object.keys(forge.accounts)) {
    const answer = await context
      .forge(forge, agent)
      .listOwnerHooks(repository)
      .catch(() => null);
    if (answer?.kind === 'hooks') return answer.hooks;
  }
  return null;
}

function adding({ config }: DoctorContext, forge: ForgeConfig, { fullName }: RepositoryRef): string {
  const base = config.server.publicUrl ?? 'https://<this service>';
  return `Add a webhook to ${base}/webhooks/${forge.name}: ${kitOf(forge.kind).hooks.choices}, the secret of ${secretPathOf(forge, fullName)}, all events the flows need, active.`;
}

/** What the list of hooks shows. Exported for tests of answers that the pocket forge does not give. */
export function judgeHook(
  { subject, hook, forge }: Omit<About, 'repository'>,
  { config }: Pick<DoctorContext, 'config'>,
) {
  const findings: Check[] = [];
  const add = (finding: Omit<Check, 'subject'>) => findings.push({ ...finding, subject });
  if (!hook.active) {
    add({
      check: 'hook-inactive',
      severity: 'broken',
      problem: 'the hook is switched off',
      evidence: 'active: false',
      remedy: 'Tick “Active” in the settings of the hook. (Made by API, a hook is inactive unless told.)',
    });
  }
  if (!new URL(hook.url).pathname.endsWith(`/webhooks/${forge.name}`)) {
    add({
      check: 'hook-path',
      severity: 'broken',
      problem: 'the hook points to this service, but not to where this forge’s deliveries are taken',
      evidence: hook.url,
      remedy: `Let its address end with /webhooks/${forge.name}.`,
    });
  }
  if (hook.contentType !== 'json') {
    add({
      check: 'hook-content-type',
      severity: 'broken',
      problem: 'the hook sends something other than JSON, which is refused',
      evidence: `content type ${hook.contentType}`,
      remedy: 'Set the content type of the hook to application/json, and its method to POST.',
    });
  }
  for (const finding of judgeEvents(hook, forge, config.flows)) add(finding);
  return findings;
}

function judgeEvents(
  hook: ForgeHook,
  forge: ForgeConfig,
  flows: DoctorContext['config']['flows'],
): Omit<Check, 'subject'>[] {
  const findings: Omit<Check, 'subject'>[] = [];
  const lacking = missingEvents(hook, forge, flows);
  if (lacking.length > 0) {
    findings.push({
      check: 'hook-events',
      severity: 'broken',
      problem: `the hook does not send what ${lacking.length === 1 ? 'a flow waits' : 'flows wait'} for`,
      evidence: lacking.map((m) => `${m.subscription} (flows ${m.flows.join(', ')})`).join('; '),
      remedy:
        'Tick these events in the settings of the hook. (By API: send the whole set; a change without it falls back to push alone.)',
    });
  }
  for (const { problem, evidence, remedy, flows: waiting } of partialEvents(hook, forge, flows)) {
    findings.push({
      check: 'hook-status',
      severity: 'risk',
      problem,
      evidence: `${evidence} (flows ${waiting.join(', ')})`,
      remedy,
    });
  }
  return findings;
}

async function judgeArrival(about: About, trial: Trial, recent: boolean): Promise<Check[]> {
  switch (trial.kind) {
    case 'arrived':
      return trial.signer === undefined
        ? []
        : judgeSigner(about.subject, about.forge, { ...about, signer: trial.signer });
    case 'refused':
      return [refused(about, trial)];
    case 'not-sent':
      return [notSent(about, trial.why)];
    case 'silent':
      return [await silent(about, trial.waitedMs)];
    case 'not-tried':
      return recent ? [] : await perhapsNotAllowed(about);
  }
}

function refused(
  { subject, forge, repository }: About,
  { code }: Extract<Trial, { kind: 'refused' }>,
): Check {
  const isSecret = code.startsWith('signature-');
  return {
    check: isSecret ? 'hook-secret' : 'hook-refused',
    severity: 'broken',
    subject,
    problem: isSecret
      ? 'the hook signs with another secret than this service has'
      : 'a test delivery arrived and was refused',
    evidence: `the service refused the test delivery: ${code}`,
    remedy: isSecret
      ? `Set the secret of the hook to the value of ${secretPathOf(forge, repository.fullName)}.`
      : 'Read the sentence in the hook’s history on the forge, or in the log of the service.',
  };
}

function notSent({ subject }: About, why: string): Check {
  return {
    check: 'hook-test-refused',
    severity: 'note',
    subject,
    problem: 'the forge did not send a test delivery, so whether deliveries arrive is not known',
    evidence: why,
    remedy: 'Press “Test delivery” in the settings of the hook and read what it says there.',
  };
}

async function silent({ subject, hook, forge }: About, waitedMs: number): Promise<Check> {
  const { reach, address } = await reachOf(hook.url);
  const isBarred = reach === 'loopback' || reach === 'private';
  return {
    check: isBarred ? 'hook-host-not-allowed' : 'hook-unreachable',
    severity: 'broken',
    subject,
    problem: isBarred
      ? 'the forge sent a test delivery that did not arrive; most likely it may not call this address'
      : 'the forge sent a test delivery that did not arrive',
    evidence: `${hook.url} is ${reach} (${address}); nothing came within ${waitedMs / 1000} s`,
    remedy: isBarred
      ? kitOf(forge.kind).hooks.allowAddress(reach)
      : 'See the hook’s history on the forge for the error, then mend name, firewall, proxy or certificate between the two.',
  };
}

async function perhapsNotAllowed({ subject, hook, forge }: About): Promise<Check[]> {
  const { reach, address } = await reachOf(hook.url);
  if (reach === 'external' || reach === 'unknown') return [];
  return [
    {
      check: 'hook-host-not-allowed',
      severity: 'risk',
      subject,
      problem: 'a forge calls only external addresses unless its administrator allows more',
      evidence: `${hook.url} is ${reach} (${address}), and nothing of this forge has arrived within a week`,
      remedy: kitOf(forge.kind).hooks.allowAddress(reach),
    },
  ];
}
