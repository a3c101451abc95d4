/** Creating and deleting the hooks of a repository. */
import { ForgeMissing } from '../src/errors.ts';
import { requirePermission } from './pocket-forge-access.ts';
import type { PocketContext } from './pocket-forge-context.ts';
import { checkHookUrl, expandEvents } from './pocket-forge-hooks.ts';
import {
  nextId,
  now,
  type StoredHook,
  type StoredRepository,
  type StoredUser,
} from './pocket-forge-state.ts';

export interface NewHook {
  type: 'forgejo' | 'gitea';
  url: string;
  secret: string;
  /** names or groups; none means push alone */
  events: readonly string[];
  active: boolean;
  authorizationHeader: string;
}

interface HookAdmin {
  repository: StoredRepository;
  actor: StoredUser;
}

export function addHook(context: PocketContext, o: HookAdmin & { input: NewHook }): StoredHook {
  requirePermission(o.repository, o.actor, 'admin');
  checkHookUrl(o.input.url);
  const hook: StoredHook = {
    ...o.input,
    events: expandEvents(o.input.events, context.kind),
    id: nextId(context.state, 'hook'),
    created: now(),
  };
  o.repository.hooks.push(hook);
  return hook;
}

export function findHook(o: HookAdmin & { id: number }): StoredHook {
  requirePermission(o.repository, o.actor, 'admin');
  const hook = o.repository.hooks.find((h) => h.id === o.id);
  if (hook === undefined) throw new ForgeMissing(`No hook ${o.id} in this repository. List them first.`);
  return hook;
}

export function removeHook(o: HookAdmin & { id: number }): void {
  const hook = findHook(o);
  o.repository.hooks = o.repository.hooks.filter((h) => h !== hook);
}
