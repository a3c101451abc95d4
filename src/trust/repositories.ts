/**
 * Which repository an id is, according to the forge, remembered for minutes. A delivery names an id and a name, and
 * whoever knows a hook's secret can write any two. The listed, the permitted and the acted-on repository must be one
 * and the same.
 */
import type { ForgeConfig } from '../config/config.ts';
import type { Forge } from '../forges/forge.ts';
import type { EventRepository, RepositoryRef } from '../vocabulary.ts';
import { firstAnswer } from './first-account.ts';
import type { Patience } from './patience.ts';

export interface RepositoryDeps {
  /** a client that acts as this agent's account */
  client: (forge: ForgeConfig, agent: string) => Pick<Forge, 'identifyRepository'>;
  now: () => number;
  patience: Patience;
}

export type Identified =
  | { kind: 'known'; repository: EventRepository }
  /** a clause for people, which ends with the remedy */
  | { kind: 'refused'; reason: string };

/** The forge is asked again before a run, which notices a rename or transfer within this time. */
const KNOWN_MS = 5 * 60_000;
/** Short, because an account that was missing is often added next. */
const UNSEEN_MS = 30_000;
const MOST_REMEMBERED = 10_000;
/** Enough for the old names of one repository; made-up names must not fill the memory. */
const MOST_NAMES = 20;

interface Remembered {
  at: number;
  /** null = none of our accounts sees a repository with this id */
  repository: EventRepository | null;
  /** names that were asked about, in lower case, and whether each is this repository's */
  names: Map<string, boolean>;
}

export class Repositories {
  readonly #deps: RepositoryDeps;
  readonly #answers = new Map<string, Remembered>();

  constructor(deps: RepositoryDeps) {
    this.#deps = deps;
  }

  /** Throws ForgeUnavailable, and ForgeRefused when the forge refuses all our tokens. */
  async identify(forge: ForgeConfig, claimed: RepositoryRef): Promise<Identified> {
    const name = claimed.fullName.toLowerCase();
    const key = JSON.stringify([forge.name, forge.url, claimed.id]);
    const known = this.#fresh(key);
    const isAsked = known !== null && (known.repository === null || known.names.has(name));
    const found = isAsked ? known : await this.#ask(key, forge, claimed);
    if (found.repository === null) return { kind: 'refused', reason: unseen(forge, claimed) };
    // guard: intake: one repository
    if (found.names.get(name) === true) return { kind: 'known', repository: found.repository };
    return { kind: 'refused', reason: another(forge, claimed, found.repository) };
  }

  #fresh(key: string): Remembered | null {
    const found = this.#answers.get(key);
    if (found === undefined) return null;
    const age = this.#deps.now() - found.at;
    return age <= (found.repository === null ? UNSEEN_MS : KNOWN_MS) ? found : null;
  }

  async #ask(key: string, forge: ForgeConfig, claimed: RepositoryRef): Promise<Remembered> {
    const said = await this.#deps.patience.ask(forge.name, () =>
      firstAnswer(forge, (agent) => this.#deps.client(forge, agent).identifyRepository(claimed)),
    );
    const before = this.#fresh(key);
    const isSame =
      before?.repository?.fullName === said?.repository.fullName && (before?.names.size ?? 0) < MOST_NAMES;
    const names = new Map(isSame ? before?.names : []);
    if (said !== null) {
      names.set(claimed.fullName.toLowerCase(), said.named);
      names.set(said.repository.fullName.toLowerCase(), true);
    }
    const found = { at: this.#deps.now(), repository: said?.repository ?? null, names };
    if (this.#answers.size >= MOST_REMEMBERED) this.#answers.clear();
    this.#answers.set(key, found);
    return found;
  }
}

function unseen(forge: ForgeConfig, { id, fullName }: RepositoryRef): string {
  return (
    `the delivery is about repository ${fullName} (id ${id}), and none of our accounts on ${forge.name} can see a ` +
    "repository with that id. Add an agent's account to it if it is one of yours"
  );
}

function another(forge: ForgeConfig, claimed: RepositoryRef, found: EventRepository): string {
  // Without the name that was found: it may belong to a private repository, and people outside of that read this
  // sentence.
  return (
    `not the repository it says: the delivery names ${claimed.fullName} and the id ${found.id}, and on ${forge.name} ` +
    'these are two repositories. Somebody who knows the webhook secret may have made it up: change the secret'
  );
}
