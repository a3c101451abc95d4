/** The prompt of a dispatch in its three forms. */
import type { PromptForm } from '../agent-runner.ts';
import type { AgentConfig, Skill } from '../config/config.ts';
import { describeChanges, type Snapshot } from '../flows/changes.ts';
import { renderPrompt } from '../flows/prompt.ts';
import { stripHiddenText } from '../security.ts';
import type { ConversationView } from '../vocabulary.ts';
import type { DispatchContext } from './context.ts';

export interface PromptMaterial {
  context: DispatchContext;
  agent: AgentConfig;
  login: string;
  skills: ReadonlyMap<string, Skill>;
  conversation: ConversationView;
  /** the leading item as the last answered dispatch saw it; null = never */
  seen: Snapshot | null;
}

const CUT_OFF =
  'Your last run in this conversation was cut off before it ended; the service was stopped or the connection lost. ' +
  'Some of your commands may have run without you seeing their result. Check in the checkout what is really there ' +
  '(git status, git log) before you repeat anything, then go on with the task. For reference, what you were woken for:';

export function promptOf(material: PromptMaterial, form: PromptForm): string {
  const name = material.context.leading.skill;
  const skill = material.skills.get(name);
  if (skill === undefined) {
    throw new Error(
      `Skill ${name} is no longer in the configuration. Add skills/${name}.md again, or replay the delivery.`,
    );
  }
  const text = renderPrompt({
    skill,
    form: form === 'full' ? 'full' : 'short',
    context: promptContext(material, form),
  });
  const notes = material.context.checkout.notes;
  const parts = [
    ...(form === 'interrupted' ? [CUT_OFF] : []),
    text,
    ...(notes.length > 0 ? [`About your checkout:\n${notes.map((n) => `- ${n}`).join('\n')}`] : []),
  ];
  return parts.join('\n\n');
}

function promptContext(material: PromptMaterial, form: PromptForm) {
  const { context, agent, login, conversation, seen } = material;
  const known = form === 'full' ? null : seen;
  const ownLogin = login.toLowerCase();
  const comments = context.comments
    .filter((c) => known === null || !known.commentIds.includes(c.id))
    // In a session that goes on, the agent's own comments are its own answers: it has them.
    .filter((c) => form === 'full' || c.author.login.toLowerCase() !== ownLogin)
    .map((c) => ({ ...c, body: stripHiddenText(c.body) }));
  const reviews = context.reviews
    .filter((r) => known === null || !known.reviews.some((k) => k.id === r.id))
    .filter((r) => form === 'full' || r.author.login.toLowerCase() !== ownLogin)
    .map((r) => ({
      ...r,
      body: stripHiddenText(r.body),
      inline: r.inline.map((i) => ({ ...i, body: stripHiddenText(i.body) })),
    }));
  return {
    event: context.leading.event,
    messages: context.messages,
    item: { ...context.item, body: stripHiddenText(context.item.body) },
    pull: context.item.pull,
    comments,
    reviews,
    changes: describeChanges(seen, context.snapshot),
    agent: { name: agent.name, login },
    conversation,
    branch: context.checkout.branch,
    with: context.leading.with,
  };
}
