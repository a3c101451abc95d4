/**
 * What a prompt says of messages that no forge tells: a person's word by command, a timer that is due. Their words are added
 * to every prompt, whatever its skill; the skill below makes the prompt where nothing else woke the agent.
 */
import type { Skill } from '../../config/config.ts';
import { fenced } from '../../config/fence.ts';
import type { PromptContext } from '../../flows/prompt.ts';
import { kindName } from '../../item-key.ts';
import { OWN_SKILL } from '../../mailbox/messages.ts';
import { noteOf } from '../../vocabulary.ts';
import { loginOf } from '../../voices.ts';
import type { CarriedMessage } from '../gather/messages.ts';

/** The skills of the configuration, and ours. */
export function withOwnSkill(skills: ReadonlyMap<string, Skill>): ReadonlyMap<string, Skill> {
  return new Map([...skills, [OWN_SKILL, SKILL]]);
}

const SKILL: Skill = {
  name: OWN_SKILL,
  file: '',
  description: 'Do what a message asks that did not come by the forge.',
  promises: [],
  render: (form, context) => render(form, context as PromptContext),
};

function render(form: 'full' | 'short', context: PromptContext): string {
  const { item, event, changes, comments, reviews } = context;
  const place = `${kindName(item.kind)} #${item.number}`;
  const head =
    form === 'full'
      ? [
          `Repository: ${event.repository.fullName}\n${place}: ${item.title.oneLine()}\nState: ${item.state}`,
          item.body.fenced(undefined),
        ]
      : changes.length === 0
        ? []
        : [[`Since your last turn on ${place}:`, ...changes.map((change) => `- ${change}`)].join('\n')];
  const discussion = [
    ...comments.map(({ body }) => body),
    ...reviews.flatMap(({ known, body, inline }) => [
      ...(known || body.size === 0 ? [] : [body]),
      ...inline.map((remark) => remark.body),
    ]),
  ].map((words) => words.fenced(undefined));
  return [...head, ...discussion, TASK].join('\n\n');
}

const TASK =
  'You are woken by the message below. Do what it asks; if it asks for a change, make it and commit it. Your final answer is ' +
  'posted on the forge.';

/** Sections for the prompt, oldest first. */
export function ownWords(messages: readonly CarriedMessage[]): string[] {
  return messages.flatMap(({ event }) => {
    const note = noteOf(event);
    if (note === null) return [];
    const says =
      event.name === 'timer.due'
        ? 'A timer that you set is due. You wrote then:'
        : `${loginOf({ login: note.by })} says to you, by command and not on the forge:`;
    return [`${says}\n${fenced(note.text, '')}`];
  });
}
