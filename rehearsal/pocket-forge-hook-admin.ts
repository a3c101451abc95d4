/** Creating and deleting the hooks of a repository. */
import { z } from 'zod';
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

export const hookBody = z.object({
  type: z.enum(['forgejo', 'gitea']),
  active: z.boolean().default(false),
  config: z.object({
    url: z.string(),
    content_type: z.literal('json', 'must be json here'),
    secret: z.string().default(''),
  }),
  events: z.array(z.string()).default([]),
  branch_filter: z.enum(['', '*'], 'must be empty or * here').optional(),
  authorization_header: z.string().default(''),
});

export function newHookOf(body: z.output<typeof hookBody>): NewHook {
  return {
    type: body.type,
    url: body.config.url,
    secret: body.config.secret,
    events: body.events,
    active: body.active,
    authorizationHeader: body.authorization_header,
  };
}

export function storedHook(context: PocketContext, input: NewHook): StoredHook {
  checkHookUrl(input.url);
  return {
    ...input,
    events: expandEvents(input.events, context.kind),
    id: nextId(context.state, 'hook'),
    created: now(),
  };
}

interface HookAdmin {
  repository: StoredRepository;
  actor: StoredUser;
}

export function addHook(context: PocketContext, o: HookAdmin & { input: NewHook }): StoredHook {
  requirePermission(o.repository, o.actor, 'admin');
  const hook = storedHook(context, o.input);
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
