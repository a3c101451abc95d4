/** What the prompts of one run are made of: the first one, and the words that are handed in later. */
import type { BackgroundTask } from '../../agent-runner/turns.ts';
import type { Skill } from '../../config/config.ts';
import { oneLine } from '../../config/fence.ts';
import { attachedSince } from '../../mailbox/attaching.ts';
import { lastIsUnposted } from '../../mailbox/unposted.ts';
import { cutInBackground } from '../../mailbox/versions.ts';
import { plainTime } from '../../plain-time.ts';
import type { DispatchDeps } from '../dispatch.ts';
import type { Prepared } from '../screen/context.ts';
import { withoutTexts } from '../screen/set-aside.ts';
import { conversationView } from './announced.ts';
import { withOwnSkill } from './own-skill.ts';
import { readTexts } from './prompt-budget.ts';
import { readLinks } from './prompt-pictures.ts';
import { linksOf, type PromptMaterial, picturesOf, promptOf, spokenIn } from './prompts.ts';
import type { SteeringRequest } from './steer.ts';
import { newsOf } from './steering-files.ts';
import { newVersions, type Versions, versionsOf } from './versions.ts';

/** Read once at the start of a run: a configuration that is read again meanwhile changes nothing of it. */
export interface Fixed {
  skills: ReadonlyMap<string, Skill>;
  versions: Versions;
}

export function fixedFor({ agent, context }: Prepared, { config }: DispatchDeps): Fixed {
  const skills = withOwnSkill(config().skills);
  const { flows } = config();
  return { skills, versions: versionsOf(agent, context.leading!, { skills, flows }) };
}

interface Given {
  /** without the texts that were set aside */
  context: Prepared['context'];
  fixed: Fixed;
}

export async function firstMaterial(
  dispatch: Prepared,
  deps: DispatchDeps,
  { context, fixed }: Given,
): Promise<PromptMaterial> {
  const { lease } = dispatch;
  const { rows } = deps.database;
  const files = await newsOf(dispatch, deps);
  const unread = (await lastIsUnposted(rows, lease.conversation.id)) ? [UNREAD] : [];
  const noted = {
    ...context,
    notes: [...unread, ...context.notes],
    checkout: { ...context.checkout, notes: [...files, ...context.checkout.notes] },
  };
  const changed = await newVersions(rows, lease.conversation.id, fixed.versions);
  const material = await materialOf(dispatch, deps, { context: noted, fixed });
  const attached = await attachedBefore(rows, lease);
  return { ...material, news: [...changed, ...attached, ...(await cutBefore(rows, lease))] };
}

async function attachedBefore(
  rows: DispatchDeps['database']['rows'],
  { dispatch }: Prepared['lease'],
): Promise<string[]> {
  // guard: attach: the next prompt says who was there
  return (await attachedSince(rows, dispatch)).map(
    ({ by, from, to }) =>
      `${oneLine(by)}, who runs this service, was at your own terminal from ${plainTime(from)} to ${plainTime(to)}. What they said and what came of it stands in your history; nobody on the forge has read it. What was done then may not be committed or pushed: look (git status, git log) before you go on.`,
  );
}

const UNREAD =
  'Your last answer is not among these texts: the forge refused it, and nobody has read it. Say again what people need of it.';

async function cutBefore(
  rows: DispatchDeps['database']['rows'],
  { dispatch }: Prepared['lease'],
): Promise<string[]> {
  const cut = await cutInBackground(rows, dispatch);
  if (cut === null) return [];
  const names = (JSON.parse(cut) as BackgroundTask[]).map((task) => `"${oneLine(task.description)}"`);
  return [`What you had left in the background was stopped before it ended: ${names.join(', ')}.`];
}

/** In the short form, whatever the session began with: the run knows all that its prompt told. */
export async function wordsFor(
  news: Prepared,
  deps: DispatchDeps,
  { aside, fixed }: { aside: ReadonlySet<string>; fixed: Fixed },
): ReturnType<SteeringRequest['wordsOf']> {
  // What is said of the checkout was said at the start.
  const context = { ...news.context, checkout: { ...news.context.checkout, notes: [] } };
  const material = await materialOf(news, deps, { context: withoutTexts(context, aside), fixed });
  return {
    text: `${WHILE_YOU_WORK}\n\n${promptOf(material, 'short')}`,
    pictures: picturesOf(material, 'short'),
    spoken: spokenIn(material, 'short'),
  };
}

const WHILE_YOU_WORK =
  'This came in while you work. Take it into account from here on, and answer it in your final answer as well.';

async function materialOf(
  { lease, agent, forge, repository }: Prepared,
  deps: DispatchDeps,
  { context, fixed }: Given,
): Promise<PromptMaterial> {
  const material: PromptMaterial = {
    context,
    texts: await readTexts(context),
    agent,
    login: forge.account.login,
    skills: fixed.skills,
    conversation: await conversationView(deps.database, lease),
    seen: context.seen,
  };
  const forgeUrl = forge.config.url;
  const forms = (['full', 'short'] as const).map((form) => linksOf(material, form, forgeUrl));
  const read = await readLinks(forms, { forge: forge.read, repository });
  return { ...material, pictures: { read, forgeUrl } };
}
