/**
 * The context of the commit status that says what an agent is doing. It is no result of CI: it wakes nobody, and nothing
 * waits for it. Statuses that agents set themselves have a third part, and count. Pure.
 */
const OWN = /^claude-hooks\/[a-z][a-z0-9-]{0,39}$/;

export function workContext(agent: string): string {
  return `claude-hooks/${agent}`;
}

export function isWorkContext(context: string): boolean {
  return OWN.test(context);
}
