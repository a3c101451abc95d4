/** What a rule does about what it found, where the operator lets it act. */
import { hash } from '../forges/new-event.ts';
import type { ForgeEvent, RuleName } from '../vocabulary.ts';
import { acceptFound } from './accept.ts';
import { claimAct, noteDone } from './findings.ts';
import type { Finding, RuleDeps } from './rules.ts';

export interface ActDeps extends RuleDeps {
  /** posts a comment as this agent, through the filter for outgoing texts */
  say: (post: { agent: string; finding: Finding; text: string }) => Promise<void>;
}

/** Whether it did something now. */
export async function actOn(deps: ActDeps, rule: RuleName, finding: Finding): Promise<boolean> {
  const { database, now } = deps;
  const { subject } = finding;
  if (!(await claimAct(database.rows, { rule, subject, now: now() }))) return false;
  const did = await ACTS[rule](deps, finding);
  await noteDone(database.rows, { rule, subject, did });
  return true;
}

/** Answers what it did: a clause. */
type Act = (deps: ActDeps, finding: Finding) => Promise<string>;

const ACTS: Readonly<Record<RuleName, Act>> = {
  'merged-issue-open': (deps, finding) =>
    say(
      deps,
      finding,
      'My pull request was merged, and this issue is still open. Close it, or write here what is left.',
    ),
  'success-without-effect': (deps, finding) =>
    say(deps, finding, 'My last run here left no result. Write here what to do differently, or take me off.'),
  'assigned-without-conversation': (deps, finding) => tellAgain(deps, finding, /\.assigned$/),
  'review-never-began': (deps, finding) => tellAgain(deps, finding, /\.review_requested$/),
};

async function say(deps: ActDeps, finding: Finding, text: string): Promise<string> {
  await deps.say({ agent: finding.agent!, finding, text });
  return 'asked a person on the item';
}

/** The event is told once more: whoever asked may have been refused, or nothing have arrived. It is decided as any other. */
async function tellAgain(deps: ActDeps, finding: Finding, name: RegExp): Promise<string> {
  const { client, forge, database, now } = deps;
  const agent = finding.agent!;
  const { login } = forge.accounts[agent]!;
  const history = await client(agent).history({
    forge: forge.name,
    repository: finding.repository,
    number: finding.number,
    since: new Date(0).toISOString(),
    seenText: null,
  });
  if ('why' in history) return 'found no history of it on the forge';
  const last = history
    .map(({ event }) => event)
    .findLast((event) => name.test(event.name) && isAbout(event, login));
  if (last === undefined) return 'found nobody on the forge who asked for it';
  // With a key of its own: the event may be known, and be the one that came to nothing.
  const semanticKey = `${last.semanticKey}:again:${hash([now()])}`;
  const event: ForgeEvent = { ...last, added: { ...last.added, assignees: [login] }, semanticKey };
  await database.transaction(async (tx) => {
    await acceptFound(tx, [{ event, likenesses: [] }], now());
  });
  return `told the event again that ${last.sender.login} caused`;
}

function isAbout({ item, requestedReviewer }: ForgeEvent, login: string): boolean {
  const own = login.toLowerCase();
  if (requestedReviewer !== null) return requestedReviewer.toLowerCase() === own;
  return item?.assignees.some((one) => one.toLowerCase() === own) ?? false;
}
