/** The variables that a skill may name: those of conditions, and some that only a prompt has. */
import { FIELDS } from './condition-fields.ts';
import { suggestion } from './nearest.ts';

/** `null` = anything may follow, such as the fields of a text. */
interface Names {
  readonly [name: string]: Names | null;
}

const { event, agent, conversation } = FIELDS as unknown as {
  event: Names;
  agent: Names;
  conversation: Names;
};

const ROOTS: Names = {
  event,
  messages: null,
  item: { ...(event.item as Names), trusted: null },
  pull: event.pull as Names,
  comments: null,
  reviews: null,
  changes: null,
  agent,
  conversation,
  branch: null,
  with: null,
};

/** null when it exists, else what is wrong and what to write. */
export function unknownVariable(
  path: readonly (string | number)[],
): { problem: string; remedy: string } | null {
  let names: Names | null = ROOTS;
  const seen: string[] = [];
  for (const part of path) {
    if (names === null || typeof names !== 'object' || typeof part !== 'string') return null;
    if (!Object.hasOwn(names, part)) {
      const problem =
        seen.length === 0 ? `there is no variable "${part}"` : `${seen.join('.')} has no field "${part}"`;
      return { problem, remedy: `Correct it. ${suggestion(part, Object.keys(names))}`.trim() };
    }
    names = names[part] ?? null;
    seen.push(part);
  }
  return null;
}
