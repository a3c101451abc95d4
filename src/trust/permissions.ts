/** The permissions that the forge answers, remembered for minutes. */
import type { ForgeConfig } from '../config/config.ts';
import { ForgeRefused, ForgeUnavailable } from '../errors.ts';
import type { Forge } from '../forges/forge.ts';
import { type ForgeUser, PERMISSIONS, type Permission, type RepositoryRef } from '../vocabulary.ts';
import type { Patience } from './patience.ts';

export interface PermissionDeps {
  /** a client that acts as this agent's account */
  client: (forge: ForgeConfig, agent: string) => Pick<Forge, 'permissionOf'>;
  now: () => number;
  patience: Patience;
}

export interface PermissionQuestion {
  forge: ForgeConfig;
  repository: RepositoryRef;
  user: ForgeUser;
}

/** `another`: the login belongs to another account than the id. */
export type Told = Permission | 'unknown' | 'another';

/**
 * For so long a permission that was taken away still counts; before a run it is asked again (`RECENT_MS`).
 */
const GRANTED_MS = 5 * 60_000;
/** Short, because a person who was refused is often given the permission next and tries again at once. */
const REFUSED_MS = 30_000;
/** Recent enough for a run: usually the routing of the same event has just asked. */
export const RECENT_MS = 15_000;
const MOST_REMEMBERED = 10_000;

export class Permissions {
  readonly #deps: PermissionDeps;
  readonly #answers = new Map<string, { answer: Told; at: number }>();
  readonly #asking = new Map<string, Promise<Told>>();

  constructor(deps: PermissionDeps) {
    this.#deps = deps;
  }

  /** The remembered answer, at most `maxAgeMs` old; null = the forge has to be asked. */
  remembered(question: PermissionQuestion, maxAgeMs = Number.POSITIVE_INFINITY): Told | null {
    const found = this.#answers.get(keyOf(question));
    if (found === undefined) return null;
    const { requiredPermission } = question.forge;
    const good =
      found.answer !== 'unknown' &&
      found.answer !== 'another' &&
      rank(found.answer) >= rank(requiredPermission);
    const age = this.#deps.now() - found.at;
    return age <= Math.min(maxAgeMs, good ? GRANTED_MS : REFUSED_MS) ? found.answer : null;
  }

  /** Throws ForgeUnavailable, and ForgeRefused when the forge refuses all our tokens. */
  async of(question: PermissionQuestion, maxAgeMs?: number): Promise<Told> {
    const known = this.remembered(question, maxAgeMs);
    if (known !== null) return known;
    const key = keyOf(question);
    const running = this.#asking.get(key);
    if (running !== undefined) return await running;
    const asking = this.#ask(question).finally(() => this.#asking.delete(key));
    this.#asking.set(key, asking);
    return await asking;
  }

  async #ask(question: PermissionQuestion): Promise<Told> {
    const answer = await this.#deps.patience.ask(question.forge.name, () => this.#askAccounts(question));
    if (this.#answers.size >= MOST_REMEMBERED) this.#answers.clear();
    this.#answers.set(keyOf(question), { answer, at: this.#deps.now() });
    return answer;
  }

  /**
   * Asks one account after the other until one can tell: only administrators of the repository are told a permission,
   * and perhaps only one agent is one. An account that may not see the repository answers `none`, so `none` is not
   * final.
   */
  async #askAccounts({ forge, repository, user }: PermissionQuestion): Promise<Told> {
    let answer: Told | null = null;
    let trouble: unknown = null;
    for (const agent of Object.keys(forge.accounts)) {
      try {
        const said = await this.#deps.client(forge, agent).permissionOf(repository, user);
        if (said !== 'unknown' && said !== 'none') return said;
        answer = answer === null || answer === said ? said : 'unknown';
      } catch (error) {
        // A refused token says nothing about the person; another agent's token may be good.
        if (!(error instanceof ForgeUnavailable || error instanceof ForgeRefused)) throw error;
        trouble ??= error;
      }
    }
    if (answer === null && trouble !== null) throw trouble;
    return answer ?? 'unknown';
  }
}

function keyOf({ forge, repository, user }: PermissionQuestion): string {
  return JSON.stringify([forge.name, repository.id, user.id, user.login.toLowerCase()]);
}

function rank(permission: Permission): number {
  return PERMISSIONS.indexOf(permission);
}
