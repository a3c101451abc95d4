/**
 * The description of one kind of forge: all that the product knows of it. A kit is a constant; it keeps no state.
 *
 * Contract:
 * - Everything but `client` is pure: no network, no clock, no file.
 * - Whatever a delivery contains, an outcome comes of it and no exception.
 * - A sentence for people ends with the remedy, in the words that the forge's own pages use.
 */
import type { ForgeEvent, ForgeEventName, ForgeUser } from '../vocabulary.ts';
import type { Forge } from './forge.ts';
import type { ForgeSetup } from './setup.ts';

export interface ForgeKit {
  /** as people call it: `Forgejo` */
  title: string;
  /** kits of one family understand each other's deliveries, and are told apart by their headers */
  family: string;
  headers: HeaderNames;
  /** what the headers claim about the sender; `secrets` are those that may have signed */
  claim(headers: Headers, secrets: readonly string[]): SentClaim;
  /** expects a body whose signature was verified */
  parse: ParseDelivery;
  /** one client for each account; see the ports in `forge.ts` */
  client(account: ForgeAccount): Forge;
  /** as an administrator, for `claude-hooks init`; null where that cannot set this kind up */
  setup: ((administrator: ForgeAccount) => ForgeSetup) | null;
  /** deleted accounts and the forge's own robots have no permission that could be asked for */
  accountOf(user: ForgeUser): 'person' | 'robot' | 'deleted';
  pulls: PullRefs;
  hooks: HookSubscriptions;
  tokens: TokenWords;
}

export interface ForgeAccount {
  /** the configured name of the forge, for messages */
  name: string;
  /** as in a browser, with a sub path if the forge has one: `https://host/git` */
  url: string;
  token: string;
  /** asks as anybody does; the token is not sent */
  anonymous?: true;
  /** asks with name and password instead of the token */
  basic?: { login: string; password: string };
  fetch?: typeof fetch;
  /** for one whole exchange, body included; default 30 000 */
  timeoutMs?: number;
}

/** The headers that name a delivery. Their presence tells the kind, so that of `event` is sent by this kind alone. */
export interface HeaderNames {
  event: string;
  /** null: this forge sends one name only */
  eventType: string | null;
  delivery: string;
  /** a value of the finer of the two */
  example: string;
}

/** The webhook headers of one delivery, whatever prefix the forge used. */
export interface DeliveryHeaders {
  /** a kind of the registry, or of a forge that is recognised and not served */
  kind: string;
  deliveryId: string;
  /** coarse name, e.g. `issue_comment` */
  event: string;
  /** fine name, e.g. `pull_request_comment`; equals `event` where the forge sends none */
  eventType: string;
}

/**
 * - `missing`: nothing in the headers says who sent it
 * - `empty`: the header is there without a signature, which is what a hook without a secret sends
 * - `malformed`: not in the form that this header has
 */
export type SentClaim =
  | { kind: 'claim'; claim: SignatureClaim }
  | { kind: 'missing' | 'empty' | 'malformed' };

/** A signature that a header carries and a body must still prove. */
export interface SignatureClaim {
  /** is handed every piece of the body */
  digests: BodyHash;
  /** after the last piece: the number of the secret that signed, null = none of them */
  signer(): number | null;
}

/** A hash of a body in pieces, one for each secret. */
export interface BodyHash {
  readonly count: number;
  /** `from` and `to` choose secrets by their number: with hundreds of them one piece is hashed in several turns */
  update(piece: Uint8Array, from?: number, to?: number): void;
}

export type ParseOutcome =
  | { kind: 'event'; event: ForgeEvent }
  /** well-formed but nothing we act on; the reason is stored and shown by `explain` */
  | { kind: 'ignored'; reason: string }
  /** the body is not what the headers promise; the error says what was expected where */
  | { kind: 'malformed'; error: string };

export type ParseDelivery = (forge: string, headers: DeliveryHeaders, body: Uint8Array) => ParseOutcome;

/** Where the forge's git keeps the heads of pull requests. */
export interface PullRefs {
  /** without a slash at its end: all of them are below it */
  folder: string;
  ref(number: number): string;
}

/** Which subscriptions of a hook send what. Names as the forge lists them for a hook. */
export interface HookSubscriptions {
  /** those that are missing before the hook sends this event; empty = it sends it */
  lacking(event: ForgeEventName, sent: ReadonlySet<string>): readonly string[];
  /** what the hook leaves out although it sends this event; null = nothing is known */
  partial(event: ForgeEventName, sent: ReadonlySet<string>): PartialSubscription | null;
  /** whether the forge sends a test delivery to a hook with these */
  takesTest(sent: ReadonlySet<string>): boolean;
  /** names by which a hook is made that sends all that flows can wait for, and takes a test */
  everything: readonly string[];
  /** completes "Add a webhook to …:": what to choose on the forge's page */
  choices: string;
  /** a sentence for the forge's administrator: how the forge comes to call such an address (`private`, `loopback`) */
  allowAddress(reach: string): string;
}

export interface PartialSubscription {
  /** sentences without the point at their end */
  problem: string;
  evidence: string;
  remedy: string;
}

/** What a token needs, in the forge's own words. */
export interface TokenWords {
  /** all that an agent's token needs, for "a token with …" */
  scopes: string;
  /** of an administrator who sets all up, for "a token with …" */
  administrator: string;
  /** for reading and writing issues, and repositories */
  issue: string;
  repository: string;
  /** for being asked whose it is */
  self: string;
  /** for asking what members of an organization may do */
  organization: string;
  /** sentences: tokens that cannot have `self`, and what follows from it */
  nameless: string;
  /** a clause: which tokens cannot have `self` */
  namelessKind: string;
  /** a sentence: how an account comes to read CI */
  readCi: string;
}
