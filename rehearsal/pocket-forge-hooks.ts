/**
 * Webhook subscriptions and deliveries as Forgejo does them: signed once, attempted once, never retried.
 * Deliveries go out one after another, so their order here is certain; on a real forge it is not.
 */
import { createHmac, randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { ForgeMissing, ForgeRefused } from '../src/errors.ts';
import { HABITS, type PocketKind } from './pocket-forge-kinds.ts';
import type { HookTask, PocketState, StoredHook, StoredRepository } from './pocket-forge-state.ts';

/** fine name → coarse name. A comment review is called `pull_request_comment`; a comment on a PR is `issue_comment`. */
const COARSE_NAMES = {
  issues: 'issues',
  issue_assign: 'issues',
  issue_label: 'issues',
  issue_milestone: 'issues',
  issue_comment: 'issue_comment',
  pull_request: 'pull_request',
  pull_request_assign: 'pull_request',
  pull_request_label: 'pull_request',
  pull_request_milestone: 'pull_request',
  pull_request_sync: 'pull_request',
  pull_request_review_request: 'pull_request',
  pull_request_comment: 'issue_comment',
  pull_request_review_approved: 'pull_request_approved',
  pull_request_review_rejected: 'pull_request_rejected',
  pull_request_review_comment: 'pull_request_comment',
  push: 'push',
  create: 'create',
  delete: 'delete',
  action_run_success: 'action_run_success',
  action_run_failure: 'action_run_failure',
  action_run_recover: 'action_run_recover',
  status: 'status',
  workflow_run: 'workflow_run',
  workflow_job: 'workflow_job',
} as const;
export type HookEventType = keyof typeof COARSE_NAMES;

const GROUPS: Record<string, HookEventType[]> = {
  issues: ['issues', 'issue_assign', 'issue_label', 'issue_milestone', 'issue_comment'],
  issues_only: ['issues'],
  pull_request: [
    'pull_request',
    'pull_request_assign',
    'pull_request_label',
    'pull_request_milestone',
    'pull_request_comment',
    'pull_request_review_approved',
    'pull_request_review_rejected',
    'pull_request_review_request',
    'pull_request_sync',
  ],
  pull_request_only: ['pull_request'],
  pull_request_review: ['pull_request_review_approved', 'pull_request_review_rejected'],
};

/** Fine names for the names of an API request; no names at all subscribe to push alone. Unknown names do nothing. */
export function expandEvents(names: readonly string[], kind: PocketKind = 'forgejo'): HookEventType[] {
  if (names.length === 0) return ['push'];
  const known = Object.keys(COARSE_NAMES) as HookEventType[];
  const wanted = new Set(names.flatMap((name) => GROUPS[name] ?? known.filter((k) => k === name)));
  const asksReviews = names.includes('pull_request_review') || names.includes('pull_request');
  if (HABITS[kind].commentReviewIsReview && asksReviews) wanted.add('pull_request_review_comment');
  return known.filter((name) => wanted.has(name));
}

function subscribed(hook: StoredHook, eventType: HookEventType, kind: PocketKind): boolean {
  // A quirk of Forgejo: a comment review is sent to subscribers of comments, not of reviews.
  const isQuirk = eventType === 'pull_request_review_comment' && !HABITS[kind].commentReviewIsReview;
  const gate = isQuirk ? 'pull_request_comment' : eventType;
  return hook.active && (hook.events.includes(gate) || hook.events.includes(eventType));
}

/** Go's encoder escapes these inside strings; a receiver that re-serialises the body breaks the signature. */
const GO_ESCAPED = /[<>&\u2028\u2029]/g;

export function goJson(value: unknown, indent: number): string {
  const escaped = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(value, null, indent).replace(GO_ESCAPED, escaped);
}

/** One attempt (or one still waiting for it). `error` is set when there was no complete response. */
export interface HookDelivery {
  id: string;
  repository: number;
  hook: number;
  event: string;
  eventType: string;
  url: string;
  state: 'waiting' | 'succeeded' | 'failed';
  status: number | null;
  error: string | null;
  /** the raw JSON that was (or will be) sent and signed */
  body: string;
  /** the first 64 KiB of the answer */
  response: string;
  ms: number;
}

const RESPONSE_LIMIT = 65_536;

function deliveryHeaders(
  task: HookTask,
  { hook, kind }: { hook: StoredHook; kind: PocketKind },
): Record<string, string> {
  const sign = (algorithm: string) =>
    hook.secret === '' ? '' : createHmac(algorithm, hook.secret).update(task.body).digest('hex');
  const signature = sign('sha256');
  const headers: Record<string, string> = {
    'User-Agent': 'Go-http-client/1.1',
    'Content-Type': 'application/json',
    'Content-Length': String(Buffer.byteLength(task.body)),
    'X-Hub-Signature': `sha1=${sign('sha1')}`,
    'X-Hub-Signature-256': `sha256=${signature}`,
    'Accept-Encoding': 'gzip',
  };
  for (const forge of HABITS[kind].headers) {
    headers[`X-${forge}-Delivery`] = task.id;
    headers[`X-${forge}-Event`] = task.event;
    headers[`X-${forge}-Event-Type`] = task.eventType;
    if (forge !== 'GitHub') headers[`X-${forge}-Signature`] = signature;
  }
  if (hook.authorizationHeader !== '') headers.Authorization = hook.authorizationHeader;
  return headers;
}

export class HookQueue {
  readonly deliveries: HookDelivery[] = [];
  readonly #kind: PocketKind;
  readonly #state: PocketState;
  readonly #save: () => void;
  readonly #timeoutMs: number;
  readonly #closing = new AbortController();
  #pump: Promise<void> | null = null;

  constructor(o: { kind: PocketKind; state: PocketState; save: () => void; timeoutMs: number }) {
    this.#kind = o.kind;
    this.#state = o.state;
    this.#save = o.save;
    this.#timeoutMs = o.timeoutMs;
    for (const task of o.state.waiting) this.#record(task);
  }

  /** Sends what an earlier process queued but never attempted. */
  start(): void {
    this.#pump ??= this.#deliverAll().finally(() => {
      this.#pump = null;
    });
  }

  /** Queues one delivery for each hook that wants the event: of the repository, of its owner, of the forge. */
  send(repository: StoredRepository, eventType: HookEventType, body: object): void {
    const own = [...repository.hooks, ...wider(this.#state, repository)];
    for (const hook of own.filter((h) => subscribed(h, eventType, this.#kind))) {
      this.sendTo(hook, { repository, eventType, body });
    }
  }

  /** To this hook alone, whatever it wants: a test delivery. */
  sendTo(
    hook: StoredHook,
    { repository, eventType, body }: { repository: StoredRepository; eventType: HookEventType; body: object },
  ): void {
    this.#enqueue({
      id: randomUUID(),
      repository: repository.id,
      hook: hook.id,
      event: COARSE_NAMES[eventType],
      eventType,
      body: bodyFor(hook, eventType, body),
    });
  }

  /** A replay: a new id, the same bytes. Only deliveries of this process are known. */
  redeliver(id: string): HookDelivery {
    const old = this.deliveries.find((d) => d.id === id);
    if (old === undefined) {
      throw new ForgeMissing(`No delivery ${id}. The history is kept in memory: repeat the action instead.`);
    }
    const { repository, hook, event, eventType, body } = old;
    return this.#enqueue({ id: randomUUID(), repository, hook, event, eventType, body });
  }

  /** Resolves when nothing waits and nothing is on its way. */
  async settled(): Promise<void> {
    while (this.#pump !== null) await this.#pump;
  }

  /** Fails the delivery on its way; the ones behind it stay in the state file for the next start. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.settled();
  }

  #enqueue(task: HookTask): HookDelivery {
    this.#state.waiting.push(task);
    const delivery = this.#record(task);
    this.start();
    return delivery;
  }

  #record(task: HookTask): HookDelivery {
    const { repository, hook, ...rest } = task;
    const url = this.#hook(task)?.url ?? '';
    const delivery: HookDelivery = {
      ...rest,
      repository,
      hook,
      url,
      state: 'waiting',
      status: null,
      error: null,
      response: '',
      ms: 0,
    };
    this.deliveries.push(delivery);
    return delivery;
  }

  #hook(task: HookTask): StoredHook | undefined {
    const repository = this.#state.repositories.find((r) => r.id === task.repository);
    if (repository === undefined) return undefined;
    const all = [...repository.hooks, ...wider(this.#state, repository)];
    return all.find((h) => h.id === task.hook);
  }

  async #deliverAll(): Promise<void> {
    // Lets the call that queued the first task return, before the state is saved again.
    await Promise.resolve();
    while (!this.#closing.signal.aborted) {
      const task = this.#state.waiting.shift();
      if (task === undefined) return;
      // The task leaves the list before the call. A crash in between loses the delivery and never doubles it.
      this.#save();
      await this.#attempt(task);
    }
  }

  async #attempt(task: HookTask): Promise<void> {
    const delivery = this.deliveries.find((d) => d.id === task.id);
    const hook = this.#hook(task);
    if (delivery === undefined) return;
    const started = performance.now();
    try {
      if (hook === undefined) throw new Error('The hook was deleted before its turn came.');
      const signal = AbortSignal.any([AbortSignal.timeout(this.#timeoutMs), this.#closing.signal]);
      const headers = deliveryHeaders(task, { hook, kind: this.#kind });
      const answer = await post(hook.url, { headers, body: task.body, signal });
      delivery.status = answer.status;
      delivery.response = answer.text;
      delivery.state = Math.floor(answer.status / 100) === 2 ? 'succeeded' : 'failed';
    } catch (error) {
      delivery.state = 'failed';
      delivery.error =
        error instanceof Error ? (error.cause instanceof Error ? error.cause : error).message : '?';
    }
    delivery.ms = Math.round(performance.now() - started);
  }
}

/** Hooks of the repository's owner and of the whole forge, which send for it, too. */
function wider(state: PocketState, { owner }: StoredRepository): StoredHook[] {
  return [...(state.ownerHooks?.[owner] ?? []), ...(state.systemHooks ?? [])];
}

function bodyFor(hook: StoredHook, eventType: HookEventType, body: object): string {
  const shortRef = hook.type === 'gitea' && (eventType === 'create' || eventType === 'delete');
  if (!shortRef || !('ref' in body)) return goJson(body, 2);
  return goJson({ ...body, ref: String(body.ref).replace(/^refs\/(heads|tags)\//, '') }, 0);
}

/** One exchange over its own connection; redirects are answers, not followed. Rejects when `signal` fires first. */
function post(
  url: string,
  o: { headers: Record<string, string>; body: string; signal: AbortSignal },
): Promise<{ status: number; text: string }> {
  const send = url.startsWith('https:') ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const options = { method: 'POST', headers: o.headers, agent: false as const, signal: o.signal };
    const outgoing = send(url, options, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => {
        if (text.length < RESPONSE_LIMIT) text += chunk.slice(0, RESPONSE_LIMIT - text.length);
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
      answer.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end(o.body);
  });
}

/** Refuses what Forgejo refuses: anything but an absolute http(s) address. */
export function checkHookUrl(url: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed?.protocol === 'http:' || parsed?.protocol === 'https:') return;
  throw new ForgeRefused(`The hook address ${url} is not an http or https URL. Give an absolute one.`, 422);
}
